"""Rules of a replay: the settings of a profile that its step reads."""

from typing import TYPE_CHECKING, NamedTuple, Self

from barsieve.profiles.schema import Setting, settings

BPS = 1e-4
SECTIONS = ("entry", "exits", "risk", "costs")

# Numbers of these sections that are no rules: what follows from the first three lies in
# the bars, and the balance is what a replay begins with.
NO_RULES = ("entry_threshold", "atr_rank_floor", "atr_rank_cap", "start_balance")

_TYPES = {"double": float, "integer": int}


def _is_rule(setting: Setting) -> bool:
    is_number = setting.sql_type in _TYPES
    return is_number and setting.section in SECTIONS and setting.column not in NO_RULES


def _default(setting: Setting) -> float:
    is_given = setting.default is not None
    return _TYPES[setting.sql_type](setting.default) if is_given else float("nan")


_SETTINGS = [setting for setting in settings() if _is_rule(setting)]

if TYPE_CHECKING:
    # Made of the schema, so that a checker knows no name of it; numba knows them all.
    class Rules(tuple[float, ...]):  # noqa: D101
        _fields: tuple[str, ...]

        def __new__(cls, *values: float, **named: float) -> Self: ...  # noqa: D102
        def __getattr__(self, name: str) -> float: ...
        def _replace(self, **changes: float) -> Self: ...
        def _asdict(self) -> dict[str, float]: ...

else:
    Rules = NamedTuple("Rules", [(s.column, _TYPES[s.sql_type]) for s in _SETTINGS])

Rules.__doc__ = """The settings of a profile that the replay reads.

Every number that says how to enter, leave, size and pay, named as in the JSON file; NaN
where a profile has none.
"""

DEFAULTS = Rules(**{setting.column: _default(setting) for setting in _SETTINGS})
"""Rules of which none is given; for rules made by hand, which name what they need."""
