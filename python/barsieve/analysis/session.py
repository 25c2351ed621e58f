"""A profile of a built database, as built or with other settings, ready to replay.

Other settings go the whole way that a build goes: the changed profile is typed by
`config_profiles`, and every model between it and the replay runs again over the built
features, scores and vetoes. So a replay with a setting is the replay of a build that
has it.
"""

import json
from collections.abc import Sequence
from dataclasses import replace as with_fields
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import pyarrow as pa

from barsieve.core import paths
from barsieve.core.arrow import matching, texts
from barsieve.core.errors import InputError, refuse
from barsieve.core.model_lists import ModelLists
from barsieve.database.connect import open_database
from barsieve.database.models import differing
from barsieve.database.overlay import Scratch
from barsieve.profiles.settings import ALL, Profile
from barsieve.replay.learned_tables import LearnedTables
from barsieve.replay.runs import Inputs, Part, Run, accounts, replay, run_table

# The source of every profile, in the models' SQL.
PROFILES = "configs.profiles"
SCREEN = ("candidates", "candidate_windows")
LEARNED = ("exit_learned", "shadow_seen")


class Traded(NamedTuple):
    """One symbol of a profile, and the account that trades it.

    `number` is the symbol's among those of the account, `document` the profile's JSON.
    """

    scratch: Scratch
    inputs: Inputs
    number: int
    document: dict[str, Any]

    @property
    def part(self) -> Part:
        """Return which bars of the account are the symbol's."""
        return self.inputs.symbols[self.number]

    @property
    def profile(self) -> Profile:
        """Return the profile on the symbol."""
        return with_fields(self.inputs.profile, symbol=self.part.symbol)


class Study(NamedTuple):
    """A profile to replay: the tables, the inputs of its accounts, its JSON."""

    scratch: Scratch
    accounts: list[Inputs]
    document: dict[str, Any]

    @property
    def profile(self) -> str:
        """Return the name of the profile."""
        name: str = self.document["profile"]
        return name

    @property
    def symbols(self) -> list[str]:
        """Return the symbols that the profile trades."""
        return [part.symbol for inputs in self.accounts for part in inputs.symbols]

    @property
    def symbol(self) -> str:
        """Return the symbol, or `ALL` where there are several."""
        return self.symbols[0] if len(self.symbols) == 1 else ALL

    def on(self, symbol: str | None) -> Traded:
        """Return one symbol of the profile; without a name the only one.

        Raises InputError for a symbol that it does not trade, and where it trades
        several and none is named.
        """
        for inputs in self.accounts:
            for number, part in enumerate(inputs.symbols):
                if symbol == part.symbol or (symbol is None and self.symbol != ALL):
                    return Traded(self.scratch, inputs, number, self.document)
        refuse(
            self.profile,
            "symbol",
            expected=f"one of {', '.join(self.symbols)}",
            found="none" if symbol is None else f"'{symbol}'",
            fix="name one of them (--symbol)",
        )

    def replay(self, replayed: str) -> list[Run]:
        """Replay the accounts, `full` or `focused`."""
        return [replay(inputs, replayed) for inputs in self.accounts]


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


def _refuse_other_symbols(scratch: Scratch, document: dict[str, Any]) -> None:
    found = scratch.rows("select symbol from {config_universe} order by 1")
    symbols = [row["symbol"] for row in found]
    unknown = [name for name in document["symbols"] if name not in (*symbols, ALL)]
    if unknown:
        refuse(
            str(scratch.path),
            "key 'symbols'",
            expected=f"some of {', '.join(symbols)}",
            found=", ".join(f"'{name}'" for name in unknown),
            fix="name symbols of the built market",
        )


def put_profile(scratch: Scratch, document: dict[str, Any]) -> None:
    """Let a document stand for the profiles, and run the models up to the replay."""
    lines = texts([json.dumps(document)])
    scratch.put(PROFILES, pa.table({"json": lines}))
    scratch.make("config_profiles", "replay_bars")
    if document["exits"]["learned_below_r"] is not None:
        scratch.make("shadow_seen")


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
    for section, key in (("exits", "learned_model"), ("sizing", "kind")):
        asked = made[section][key]
        is_learned = asked is not None and (key != "kind" or asked == "kelly")
        if is_learned and not (built and built[section][key] == asked):
            refuse(
                name,
                f"key '{section}.{key}'",
                expected="one that the build has learned: only a build learns",
                found=f"'{asked}'",
                fix="set it in the profile, dbt build, and replay it by its name",
            )
    if regime["classifier"] == "off" or (built and _reads_as(built, made)):
        return
    known = [row["symbol"] for row in scratch.rows("from {config_universe}")]
    traded = known if ALL in made["symbols"] else made["symbols"]
    run = (regime["classifier"], regime["fit_window"])
    fitted = scratch.rows(
        "select distinct symbol, reference_symbol from {regimes} "
        "where classifier = ? and fit_window = ?",
        *run,
    )
    has_run = {(row["symbol"], row["reference_symbol"]) for row in fitted}
    for symbol in traded:
        reference = regime["reference_symbol"] or symbol
        if (symbol, reference) not in has_run:
            refuse(
                name,
                "section 'regime'",
                expected="a classifier that the build has fitted",
                found=f"{', '.join(run)}, {reference}",
                fix="set it in a profile and dbt build, with the tag ml",
            )


def _reads_as(built: dict[str, Any], made: dict[str, Any]) -> bool:
    """Tell whether a profile reads the regimes that the build has for another."""
    is_named = made["regime"]["reference_symbol"] is not None
    same_symbols = is_named or built["symbols"] == made["symbols"]
    return bool(built["regime"] == made["regime"] and same_symbols)


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
    _refuse_other_symbols(scratch, made)
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


def read(scratch: Scratch, name: str) -> list[Inputs]:
    """Read what the replay of a profile needs from the tables as they are now.

    The inputs of each of its accounts.
    """
    own = matching(scratch.table("config_symbols"), profile=name)
    tables = [scratch.table(t) for t in ("replay_bars", *SCREEN)]
    learned = LearnedTables(*(scratch.table(t) for t in LEARNED))
    return list(accounts(own, *tables, learned))


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


def trade_rows(scratch: Scratch, runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Return the trades of a replay, its accounts together, in the order of entries.

    They are rows of `replay_trades`. That model makes them, so they are bit for bit
    what a build has.
    """
    put_runs(scratch, runs)
    return scratch.rows(
        "select * from {replay_trades} order by entry_ts, account, trade_id"
    )
