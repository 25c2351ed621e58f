"""Paper accounts: profiles whose study began when they were opened."""

from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from barsieve.core.errors import refuse
from barsieve.core.model_lists import ModelLists
from barsieve.core.times import read_moment
from barsieve.live.folder import LiveFolder
from barsieve.profiles.authoring import without_defaults, write_profile
from barsieve.profiles.diff import find_profile
from barsieve.profiles.resolution import resolve


class PaperAccount(NamedTuple):
    """A paper account: its name, the profile it began as, the hour of its opening."""

    account: str
    profile: str
    opened_at: datetime


def read_accounts(folder: LiveFolder) -> list[PaperAccount]:
    """Return the paper accounts of a market, in the order of their opening."""
    return [
        PaperAccount(row["account"], row["profile"], read_moment(row["opened_at"]))
        for row in folder.read(folder.accounts) or []
    ]


def needed_accounts(folder: LiveFolder) -> list[PaperAccount]:
    """Return the paper accounts; raises InputError where none was opened."""
    found = read_accounts(folder)
    if not found:
        refuse(
            str(folder.market),
            expected="a paper account",
            found="none",
            fix="barsieve paper open PROFILE --as NAME",
        )
    return found


def _as_account(source: Path, name: str, opened_at: datetime) -> dict[str, Any]:
    """Return the settings of a profile, all of them its own, as those of an account.

    What it extended may change later; an account goes on as it was opened.
    """
    document = dict(resolve(source).document)
    document |= {
        "profile": name,
        "study": {"start": opened_at.isoformat(), "end": None},
    }
    if "swept" in document:
        document["swept"] = False
    return without_defaults(document)


def open_account(
    folder: LiveFolder,
    configs: Path,
    profile: str,
    name: str,
    now: datetime,
    symbols: Collection[str],
    lists: ModelLists,
) -> tuple[PaperAccount, Path]:
    """Open a paper account: write its profile into the configs, note it in the market.

    It decides from the first close after `now` on. `symbols` are those of the market,
    `lists` the models that there are. Raises InputError for a profile that there is not
    and for a name that is taken.
    """
    source = find_profile(profile)
    taken = {one.account for one in read_accounts(folder)}
    if name in taken or (configs / f"{name}.json").exists():
        refuse(
            f"--as {name}",
            expected="a name that no profile and no paper account has",
            found="an account that is open" if name in taken else f"{name}.json",
            fix="choose another name: an account goes on from its own opening",
        )
    opened_at = now.replace(minute=0, second=0, microsecond=0)
    path = write_profile(configs, _as_account(source, name, opened_at), symbols, lists)
    opened = PaperAccount(name, source.stem, opened_at)
    rows = [*read_accounts(folder), opened]
    folder.write(folder.accounts, [one._asdict() for one in rows])
    return opened, path
