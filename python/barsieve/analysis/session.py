"""A profile of a built database, as built or with other settings, ready to replay.

Other settings go the whole way that a build goes: the changed profile is typed by
`config_profiles`, and every model between it and the replay runs again over the built
features, scores and vetoes. So a replay with a setting is the replay of a build that
has it.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import pyarrow as pa

from barsieve.core import paths
from barsieve.core.arrow import texts
from barsieve.core.errors import InputError, refuse
from barsieve.core.model_lists import ModelLists
from barsieve.database.connect import open_database
from barsieve.database.models import differing
from barsieve.database.overlay import Scratch
from barsieve.profiles.settings import read_profiles
from barsieve.replay.runs import Inputs, Run, read_inputs, run_table

# The source of every profile, in the models' SQL.
PROFILES = "configs.profiles"
SCREEN = ("candidates", "candidate_windows")


class Study(NamedTuple):
    """A profile to replay: the tables, what the replay reads, its settings as JSON."""

    scratch: Scratch
    inputs: Inputs
    document: dict[str, Any]


def open_scratch(path: Path) -> Scratch:
    """Open a built database for replays beside it.

    Raises InputError when there is none, when it is not whole, or when another version
    has built it.
    """
    return Scratch(open_database(path), path)


def built_document(scratch: Scratch, name: str) -> dict[str, Any]:
    """Return the settings of a profile as the database was built with them.

    Raises InputError for a name that the database does not have.
    """
    names = [
        row["profile"]
        for row in scratch.rows("select profile from {config_profiles} order by 1")
    ]
    if name not in names:
        refuse(
            str(scratch.path),
            "profile",
            expected=f"one of {', '.join(names)}",
            found=f"'{name}'",
            fix="correct the name, or add the profile and dbt build",
        )
    if "document" not in scratch.table("config_profiles").columns:
        refuse_outdated(scratch)
    found = scratch.rows(
        "select document from {config_profiles} where profile = ?", name
    )
    document: dict[str, Any] = json.loads(found[0]["document"])
    return document


def refuse_outdated(scratch: Scratch) -> NoReturn:
    """Refuse a database that other models made."""
    refuse(
        str(scratch.path),
        expected="a database built by the models of this folder",
        found="one that they would build differently",
        fix="dbt build",
    )


def _refuse_other_symbol(scratch: Scratch, document: dict[str, Any]) -> None:
    found = scratch.rows("select distinct symbol from {bars_1h} order by 1")
    symbols = [row["symbol"] for row in found]
    if document["symbol"] not in symbols:
        refuse(
            str(scratch.path),
            "key 'symbol'",
            expected=f"one of {', '.join(symbols)}",
            found=f"'{document['symbol']}'",
            fix="name a symbol of the built market",
        )


def put_profile(scratch: Scratch, document: dict[str, Any]) -> None:
    """Let a document stand for the profiles, and run the models up to the replay."""
    lines = texts([json.dumps(document)])
    scratch.put(PROFILES, pa.table({"json": lines}))
    scratch.make("config_profiles", "replay_bars")


def refuse_other_models(scratch: Scratch) -> None:
    """Refuse a database whose models the project folder defines otherwise.

    Looks at those that run again for a profile. Outside of a project there is nothing
    to compare with.
    """
    try:
        folder = paths.project_dir()
    except FileNotFoundError:
        return
    made = ("replay_bars", *SCREEN, "replay_trades")
    names = scratch.needed(made, [PROFILES, "replay_runs"])
    if differing(folder, [scratch.models[name] for name in names]):
        refuse_outdated(scratch)


def _refuse_what_was_not_fitted(
    scratch: Scratch, built: dict[str, Any] | None, made: dict[str, Any]
) -> None:
    """Refuse settings that need a fit which the build has not made for them.

    `built` is the profile as built, if it was. Nothing is fitted here: without its rows
    a profile would quietly trade as if it had not asked.
    """
    name, regime = made["profile"], made["regime"]
    if made["learned"] and not (built and built["learned"]):
        refuse(
            name,
            "key 'learned'",
            expected="false: only a build learns",
            found="true",
            fix="set it in the profile, dbt build, and replay the profile by its name",
        )
    if regime["classifier"] == "off" or (built and regime == built["regime"]):
        return
    fitted = scratch.rows(
        "select count(*) as n from {regimes} where classifier = ? and fit_window = ? "
        "and reference_symbol = ?",
        *(regime[key] for key in ("classifier", "fit_window", "reference_symbol")),
    )
    if not fitted[0]["n"]:
        refuse(
            name,
            "section 'regime'",
            expected="a classifier that the build has fitted",
            found=", ".join(regime.values()),
            fix="set it in a profile and dbt build, with the tag ml",
        )


def _built_lists(scratch: Scratch) -> ModelLists:
    """Return the domains, sentinels and macro signals that the database has."""
    found = scratch.rows(
        "select list, list(name order by name_number) as names "
        "from {config_models} group by list"
    )
    names = {row["list"]: tuple(row["names"]) for row in found}
    return ModelLists(*(names.get(name, ()) for name in ModelLists._fields))


def change(
    scratch: Scratch,
    document: dict[str, Any],
    changes: dict[str, Any],
    is_screened: bool = True,
) -> dict[str, Any]:
    """Change settings of a profile: make its tables anew, return its new document.

    Its screen is made anew too, unless only every bar is going to be replayed. Raises
    InputError for settings that a build would refuse.
    """
    from barsieve.profiles.overrides import apply

    made = apply(document, changes, _built_lists(scratch))
    _put(scratch, document, made, is_screened)
    return made


def _put(
    scratch: Scratch,
    built: dict[str, Any] | None,
    made: dict[str, Any],
    is_screened: bool,
) -> None:
    """Let a sound profile stand for those of the build, which must be able to."""
    _refuse_other_symbol(scratch, made)
    _refuse_what_was_not_fitted(scratch, built, made)
    refuse_other_models(scratch)
    put_profile(scratch, made)
    if is_screened:
        scratch.make("candidate_windows")


def unbuilt_profile(file: Path) -> dict[str, Any]:
    """Return the profile of a file, resolved, which the database need not know.

    What it extends lies beside it or in the configs. Raises InputError for a profile
    that a build would refuse.
    """
    from barsieve.profiles.check import check_document
    from barsieve.profiles.resolution import resolve

    try:
        folders = [paths.project_dir() / paths.configs_dir()]
    except FileNotFoundError:
        folders = []
    document = resolve(file, folders).document
    if problems := check_document(file, document):
        raise InputError(problems)
    return document


def read(scratch: Scratch, name: str) -> Inputs:
    """Read what the replay of a profile needs from the tables as they are now."""
    profiles = {p.profile: p for p in read_profiles(scratch.table("config_profiles"))}
    tables = [scratch.table(t) for t in ("replay_bars", *SCREEN)]
    return read_inputs(profiles[name], *tables)


def open_profile(
    path: Path,
    name: str | Path,
    changes: dict[str, Any] | None = None,
    is_screened: bool = True,
) -> tuple[Scratch, dict[str, Any]]:
    """Return the tables of a profile with some settings changed, and its document.

    `name` is that of a profile of the database, or a file (*.json) of one that it need
    not have. Raises InputError when the database, the profile or a setting is refused.
    """
    scratch = open_scratch(path)
    if Path(name).suffix == ".json":
        from barsieve.profiles.overrides import apply

        unbuilt = unbuilt_profile(Path(name))
        made = apply(unbuilt, changes or {}, _built_lists(scratch))
        _put(scratch, None, made, is_screened)
        return scratch, made
    document = built_document(scratch, str(name))
    if changes:
        document = change(scratch, document, changes, is_screened)
    return scratch, document


def prepare(
    path: Path,
    name: str | Path,
    changes: dict[str, Any] | None = None,
    is_screened: bool = True,
) -> Study:
    """Return a profile of a built database, with some settings changed, to replay.

    Without its screen, changed settings serve a full replay only. `name` as for
    `open_profile`, and what is raised.
    """
    scratch, document = open_profile(path, name, changes, is_screened)
    return Study(scratch, read(scratch, document["profile"]), document)


def put_runs(scratch: Scratch, runs: Sequence[Run]) -> None:
    """Let replays stand for those of the build, with their trades and legs."""
    scratch.put("replay_runs", pa.concat_tables([run_table(run) for run in runs]))
    scratch.make("replay_trades")


def trade_rows(scratch: Scratch, run: Run) -> list[dict[str, Any]]:
    """Return the trades of a replay: its rows of `replay_trades`, by their number.

    That model makes them, so they are bit for bit what a build has.
    """
    put_runs(scratch, [run])
    return scratch.rows("select * from {replay_trades} order by trade_id")
