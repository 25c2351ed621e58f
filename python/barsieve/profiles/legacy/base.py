"""The profile that gives a migration what the old file lacks."""

from dataclasses import dataclass
from typing import Any

from barsieve.core.errors import InputError
from barsieve.profiles.check import check_profile
from barsieve.profiles.diff import find_profile
from barsieve.profiles.json_file import read_json

# Its settings are those that the legacy system fell back to, and its threshold is the
# most careful of the shipped ones.
DEFAULT_BASE = "eth_live_conservative"


@dataclass(frozen=True)
class Base:
    """The profile that gives what the old file lacks, and the shared thresholds."""

    name: str
    profile: dict[str, Any]
    macro_signals: dict[str, Any]


def load_base(name: str = DEFAULT_BASE) -> Base:
    """Return a profile as a base, with the thresholds of macro signals beside it.

    Raises InputError when it does not exist or is not sound.
    """
    path = find_profile(name)
    profile, problems = check_profile(path)
    if profile is None or problems:
        raise InputError(problems)
    macro_signals, problems = read_json(path.parent / "shared" / "macro_signals.json")
    return Base(path.stem, profile, {} if problems else macro_signals)
