"""Rules of a replay: the settings of a profile that its step reads."""

from typing import TYPE_CHECKING, Any, NamedTuple, Self

from barsieve.profiles.schema import GREATEST_INTEGER, Setting, settings

BPS = 1e-4
SECTIONS = ("entry", "exits", "risk", "sizing", "wallet", "costs")

# Numbers of these sections that are no rules: what follows from the first three lies in
# the bars, and the balance is what a replay begins with.
NO_RULES = ("entry_threshold", "atr_rank_floor", "atr_rank_cap", "start_balance")

# Exits that bar entries as well.
MACRO_EXITS = ("vix_exit", "macro_exit_veto")

# What a rule that is switched off holds: a number that nothing reaches. An integer has
# no NaN, and with one of another type the step would be compiled anew.
OFF, NEVER = float("nan"), GREATEST_INTEGER


def _type(setting: Setting) -> type[float] | None:
    """Return the type of a setting in the kernel; None for one that it cannot hold."""
    if setting.codes:
        return int
    return {"double": float, "integer": int}.get(setting.sql_type)


def _is_rule(setting: Setting) -> bool:
    is_held = _type(setting) is not None
    return is_held and setting.section in SECTIONS and setting.column not in NO_RULES


_SETTINGS = {setting.column: setting for setting in settings() if _is_rule(setting)}


def as_rule(column: str, value: Any) -> Any:
    """Return a value of `config_profiles` as the kernel holds it.

    Null is `OFF`, or `NEVER` where the setting counts; a choice is its code. What is no
    rule stays as it is.
    """
    setting = _SETTINGS.get(column)
    if setting is None:
        return value
    if value is None:
        return NEVER if _type(setting) is int else OFF
    return (setting.codes or {}).get(value, value)


if TYPE_CHECKING:
    # Made of the schema, so that a checker knows no name of it; numba knows them all.
    class Rules(tuple[float, ...]):  # noqa: D101
        _fields: tuple[str, ...]

        def __new__(cls, *values: float, **named: float) -> Self: ...  # noqa: D102
        def __getattr__(self, name: str) -> float: ...
        def _replace(self, **changes: float) -> Self: ...
        def _asdict(self) -> dict[str, float]: ...

else:
    Rules = NamedTuple("Rules", [(c, _type(s)) for c, s in _SETTINGS.items()])

Rules.__doc__ = """The settings of a profile that the replay reads.

Every number that says how to enter, leave, size and pay, named as in the JSON file.
"""


def _default(setting: Setting) -> Any:
    """Return a default, a whole one of a setting that need not be as a float."""
    value = as_rule(setting.column, setting.default)
    return float(value) if _type(setting) is float else value


DEFAULTS = Rules(**{column: _default(s) for column, s in _SETTINGS.items()})
"""Rules of which none is given; for rules made by hand, which name what they need."""
