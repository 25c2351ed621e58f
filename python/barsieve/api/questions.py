"""Questions to a built database whose answers are rows, documents or files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from barsieve.api.asked import (
    changes_of,
    known_count,
    known_mode,
    path_of,
    profile_of,
)
from barsieve.api.opened import Opened
from barsieve.core.errors import refuse
from barsieve.core.times import Moment, moment

if TYPE_CHECKING:
    from barsieve.api.documents import Explanation, Regimes, Signal
    from barsieve.api.frames import Frame
    from barsieve.api.score import Score

Settings = Mapping[str, Any]
Mode = Literal["full", "focused"]


class Questions(Opened):
    """A built database to be asked about one profile, its tables and its report."""

    def thresholds(
        self,
        profile: str | Path,
        values: Sequence[float],
        *,
        set: Settings | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
    ) -> "Frame":
        """Replay a profile at several entry thresholds, on candidates found once.

        A row each: `threshold`, how it was replayed, its figures. Arguments are those
        of `replay`; raises InputError for a threshold that is no fraction.
        """
        from barsieve.api.frames import Frame

        rows, _ = self.threshold_rows(profile, values, changes_of(set, start, end))
        return Frame(_named(rows, "threshold"))

    def threshold_rows(
        self, profile: str | Path, values: Sequence[float], changes: dict[str, Any]
    ) -> tuple[list[dict[str, Any]], float | None]:
        """Return rows for `thresholds`, and the lowest that the screen covers."""
        from barsieve.analysis.what_if import try_thresholds

        # A single value is refused by its kind, or tried alone.
        is_many = hasattr(values, "__iter__") and not hasattr(values, "strip")
        with self.asking() as path:
            asked: list[Any] = list(dict.fromkeys(values if is_many else (values,)))
            return try_thresholds(path, profile_of(profile), asked, changes)

    def stress(
        self,
        profile: str | Path,
        *,
        set: Settings | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
    ) -> "Frame":
        """Replay a profile as it is and as it could have been: a row a scenario.

        Other costs, decisions one bar later, a threshold 0.05 lower and higher.
        Arguments are those of `replay`.
        """
        from barsieve.api.frames import Frame

        rows = self.stress_rows(profile, changes_of(set, start, end))
        return Frame(_named(rows, "scenario"))

    def stress_rows(
        self, profile: str | Path, changes: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Return rows for `stress`."""
        from barsieve.analysis.what_if import stress

        with self.asking() as path:
            return stress(path, profile_of(profile), changes)

    def candidates(
        self, profile: str | Path, *, set: Settings | None = None
    ) -> "Frame":
        """Return the bars where the screen of a profile says that an entry may happen.

        A row for each bar and side: `timestamp` (the bar's open), `side`, `score` (the
        bound of the confidence), `reason` (the sentinels of the bar).
        """
        from barsieve.api.frames import Frame, pandas

        rows = self.candidate_lines(profile, changes_of(set, None, None))
        frame = Frame(rows, columns=["timestamp", "side", "score", "reason"])
        frame["timestamp"] = pandas.to_datetime(frame.timestamp, utc=True)
        return frame

    def candidate_lines(
        self, profile: str | Path, changes: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Return the candidates of a profile in the legacy format, in time order."""
        from barsieve.analysis.candidate_lines import lines_of
        from barsieve.analysis.session import open_profile

        with self.asking() as path:
            scratch, document = open_profile(path, profile_of(profile), changes)
            return lines_of(scratch, document["profile"])

    def signal(
        self,
        profile: str | Path,
        *,
        symbol: str | None = None,
        at: Moment | None = None,
        mode: Mode | None = None,
        set: Settings | None = None,
    ) -> "Signal":
        """Say what the replay does at the next open, and all that it decides upon.

        Of one symbol: a profile that trades several asks which; `signals` has them all.

        The bar decided upon is the last that had closed `at` a moment, the last of all
        by default. Size, stop and target of an order assume that the next bar opens at
        its close. A mapping, the same as `barsieve signal --json` prints.
        """
        from barsieve.analysis.explain import signal
        from barsieve.analysis.session import prepare
        from barsieve.api.documents import Signal

        asked = moment(at, "at") if at is not None else None
        changes, kind = changes_of(set, None, None), known_mode(mode)
        with self.asking() as path:
            study = prepare(path, profile_of(profile), changes)
            return Signal(signal(study.on(symbol), asked, kind))

    def signals(
        self,
        profile: str | Path,
        *,
        at: Moment | None = None,
        mode: Mode | None = None,
        set: Settings | None = None,
    ) -> "Frame":
        """Say what the replay does with each symbol at the next open: a row each.

        Arguments are those of `signal`.
        """
        from barsieve.api.frames import Frame

        return Frame(self.signal_rows(profile, at, mode, changes_of(set, None, None)))

    def signal_rows(
        self,
        profile: str | Path,
        at: Moment | None,
        mode: str | None,
        changes: dict[str, Any],
    ) -> list[dict[str, Any]]:
        """Return rows for `signals`."""
        from barsieve.analysis.explain import signals
        from barsieve.analysis.session import prepare

        asked = moment(at, "at") if at is not None else None
        with self.asking() as path:
            study = prepare(path, profile_of(profile), changes)
            return signals(study, asked, known_mode(mode))

    def symbols(self, profile: str) -> list[str]:
        """Return the symbols that a profile of the build trades, sorted.

        Raises InputError for a profile that it does not have.
        """
        from barsieve.analysis.session import built_document, open_scratch

        with self.asking() as path:
            scratch = open_scratch(path)
            built_document(scratch, profile)
            rows = scratch.rows(
                "select symbol from {config_symbols} where profile = ? order by symbol",
                profile,
            )
            return [row["symbol"] for row in rows]

    def explain(
        self,
        profile: str,
        trade_id: int,
        *,
        symbol: str | None = None,
        mode: Mode | None = None,
    ) -> "Explanation":
        """Say why a trade of the build was entered and left, leg by leg.

        `symbol` where several accounts of the profile have a trade of that number. A
        mapping, the same as `barsieve explain --json` prints. Raises InputError for a
        number that the profile's replay does not have.
        """
        from barsieve.analysis.explain import explain
        from barsieve.analysis.session import prepare
        from barsieve.api.documents import Explanation

        kind = known_mode(mode)
        number, named = known_count("trade_id", trade_id), profile_of(profile)
        if isinstance(named, Path):
            refuse(
                "profile",
                expected="the name of a profile of the build, whose trades "
                "have numbers",
                found=str(named),
                fix="build the profile first",
            )
        with self.asking() as path:
            return Explanation(explain(prepare(path, named), number, kind, symbol))

    def score(self, name: str, *, symbol: str | None = None) -> "Score":
        """Say what a score knows of the hours that follow, before any replay.

        `name` is a domain, sentinel or macro signal, or a column with numbers: of
        `features`, or `table.column`. p-values are corrected for all that was looked
        at. Raises InputError for another name, and where the build judged no scores.
        """
        if not isinstance(name, str):
            refuse(
                "score",
                expected="the name of a score or column",
                found=f"{name!r}",
                fix="db.scores() has the names",
            )
        from barsieve.analysis.score import worth_of
        from barsieve.api.score import Score

        with self.asking() as path:
            return Score(name, worth_of(path, name, symbol))

    def scores(self, *, symbol: str | None = None) -> "Frame":
        """Return the best horizon of each score judged, the least by chance first."""
        from barsieve.analysis.score import overview
        from barsieve.api.frames import Frame

        with self.asking() as path:
            return Frame(overview(path, symbol))

    def regime(self, at: Moment | None = None) -> "Regimes":
        """Return the regimes at a moment, the last close by default.

        Only what was known by then is used. A mapping: `beliefs` (probabilities, shift
        of the threshold, age), `inputs` with their ages, `profiles` with the threshold
        in force. Raises InputError when no regime is known then.
        """
        from barsieve.analysis.regimes import regimes_at
        from barsieve.api.documents import Regimes

        asked = moment(at, "at") if at is not None else None
        with self.asking() as path:
            return Regimes(regimes_at(path, asked))

    def optimizer(self) -> "Frame":
        """Return what learning from the sweep is worth: rows of `report_optimizer`."""
        from barsieve.api.frames import Frame

        return Frame(self.optimizer_rows())

    def optimizer_rows(self) -> list[dict[str, Any]]:
        """Return rows for `optimizer`."""
        from barsieve.analysis.learned import learned_rows

        with self.asking() as path:
            return learned_rows(path)

    def exit_rows(self, profile: str | None = None) -> list[dict[str, Any]]:
        """Return what learned exits are worth: rows of `report_exits`."""
        from barsieve.analysis.trade_learning import judged_rows

        with self.asking() as path:
            return judged_rows(path, "report_exits", profile)

    def exits_now(
        self, profile: str | None = None, is_refitted: bool = False
    ) -> list[dict[str, Any]]:
        """Return what learned exits say of what is open at the last close."""
        from barsieve.analysis.trade_learning import exits_now

        with self.asking() as path:
            return exits_now(path, profile, is_refitted)

    def size_rows(self, profile: str | None = None) -> list[dict[str, Any]]:
        """Return what learned sizes are worth: rows of `report_sizing`."""
        from barsieve.analysis.trade_learning import judged_rows

        with self.asking() as path:
            return judged_rows(path, "report_sizing", profile)

    def sizes_now(self, profile: str | None = None) -> list[dict[str, Any]]:
        """Return what learned sizes would risk on an entry at the last close."""
        from barsieve.analysis.trade_learning import sizes_now

        with self.asking() as path:
            return sizes_now(path, profile)

    def walk_forward(
        self, train: int = 12, test: int = 1, *, profile: str | None = None
    ) -> "Frame":
        """Return the best of each training and what came after: a window a row.

        `train` and `test` are months; with a profile only those of its symbols.
        """
        from barsieve.api.frames import Frame

        return Frame(self.walk_forward_rows(train, test, profile))

    def walk_forward_rows(
        self, train: int, test: int, profile: str | None
    ) -> list[dict[str, Any]]:
        """Return rows for `walk_forward`."""
        from barsieve.analysis.learned import walk_forward_windows

        with self.asking() as path:
            return walk_forward_windows(path, train, test, profile)

    def report(
        self, to: str | Path = "report.html", profiles: Sequence[str] = ()
    ) -> Path:
        """Write the report, one HTML file that needs no network; return its path.

        `to` is new, or an older report; raises InputError for any other file, and for a
        profile that the database does not have.
        """
        from barsieve.report import check_target, write_report

        target = path_of(to)
        check_target(target)
        asked = [profiles] if isinstance(profiles, str) else list(profiles)
        with self.asking() as path:
            return write_report(path, target, asked).path

    def export(
        self,
        table: str,
        to: str | Path,
        *,
        where: str | None = None,
        force: bool = False,
    ) -> int:
        """Write a table to a file, whole or not at all; return the number of rows.

        The ending of the file says in which format: .parquet, .csv, .json, .jsonl,
        .arrow or .feather. `where` is a condition in SQL; `force` overwrites.
        """
        from barsieve.database.export import export_table

        with self.asking() as path:
            return export_table(path, table, path_of(to), where, force)


def _named(variants: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """Return variations, each under what it varies."""
    return [
        {name: row["variant"]} | {key: row[key] for key in row if key != "variant"}
        for row in variants
    ]
