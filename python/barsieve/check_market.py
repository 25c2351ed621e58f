"""A market folder checked before any model is built. Nothing is ever written to it.

Rules are SQL predicates that a bad row fulfils; each says what was expected and how to
mend it. The first bad row of a file is named, with the number of them.
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import duckdb

from barsieve.problems import Problem

TIMESTAMP, DOUBLE, TEXT, DAY = (
    "TIMESTAMP WITH TIME ZONE",
    "DOUBLE",
    "VARCHAR",
    "DATE",
)
PRICES = ("open", "high", "low", "close")

# A median funding rate beyond this is a percentage in the place of a fraction.
GREATEST_MEDIAN_FUNDING = 0.002


class Kind(NamedTuple):
    """One kind of market file: its folder, and its columns with their types."""

    folder: str
    columns: dict[str, str]


BARS = Kind("bars", {"ts": TIMESTAMP, **dict.fromkeys((*PRICES, "volume"), DOUBLE)})
MACRO = Kind(
    "macro", {"date": DAY, "series": TEXT, "value": DOUBLE, "known_at": TIMESTAMP}
)
FUNDING = Kind("funding", {"ts": TIMESTAMP, "symbol": TEXT, "funding_rate": DOUBLE})


class Rule(NamedTuple):
    """What a bad row fulfils, what was expected, what to show of the row, the fix."""

    is_bad: str
    expected: str
    shown: str
    fix: str


def _price_rules() -> Iterator[Rule]:
    for price in PRICES:
        yield Rule(
            f"not isfinite({price}) or {price} <= 0",
            f"a finite price above 0 in '{price}'",
            price,
            "drop the bar (gaps stay gaps) or correct the price",
        )


BAR_RULES = [
    Rule(
        "ts < previous_ts",
        "bars in ascending order of ts",
        "ts || ' after ' || previous_ts",
        "sort the file by ts",
    ),
    Rule(
        "ts = previous_ts or copies > 1",
        "each ts once",
        "ts || ' again'",
        "remove the duplicate bar",
    ),
    Rule(
        "epoch_us(ts) % 3600000000 != 0",
        "ts on the full hour (the bar's open, UTC)",
        "ts",
        "resample the bars to hours; ts is the open of the bar",
    ),
    *_price_rules(),
    Rule(
        "high < low",
        "high >= low",
        "'high ' || high || ' < low ' || low",
        "correct the bar at its source",
    ),
    Rule(
        "high >= low and (greatest(open, close) > high or least(open, close) < low)",
        "open and close between low and high",
        "'open ' || open || ', high ' || high || ', low ' || low || ', close ' || close",
        "correct the bar at its source",
    ),
    Rule(
        "not isfinite(volume) or volume < 0",
        "a finite volume of at least 0",
        "volume",
        "correct the volume; do not fill an unknown one",
    ),
]

MACRO_RULES = [
    Rule(
        "known_at < date",
        "known_at not before the day observed",
        "series || ' of ' || date || ' known at ' || known_at",
        "known_at is when the value was published, not when it was measured",
    ),
    Rule(
        "copies > 1",
        "each series, date and known_at once",
        "series || ' of ' || date || ' twice'",
        "remove the duplicate",
    ),
    Rule("not isfinite(value)", "a finite value", "series || ' ' || value", "drop it"),
]

FUNDING_RULES = [
    Rule("copies > 1", "each symbol and ts once", "symbol || ' ' || ts", "drop one"),
    Rule(
        "not isfinite(funding_rate) or abs(funding_rate) > 0.05",
        "a fraction per 8 h within 5 %",
        "symbol || ' ' || funding_rate",
        "rates are fractions (0.0001 is 0.01 %), not percent",
    ),
]


class MacroSeries(NamedTuple):
    """A row of the seed `macro_series`: the unit of a series, as a plausible range."""

    series: str
    unit: str
    min_value: float
    max_value: float
    max_at_least: float


def read_macro_series(seed: Path) -> dict[str, MacroSeries]:
    """Return the declared macro series by name."""
    with seed.open(newline="") as lines:
        return {
            row["series"]: MacroSeries(
                row["series"],
                row["unit"],
                float(row["min_value"]),
                float(row["max_value"]),
                float(row["max_at_least"]),
            )
            for row in csv.DictReader(lines)
            if row["source"] == "macro"
        }


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _shape_problems(
    session: duckdb.DuckDBPyConnection, path: Path, kind: Kind
) -> list[Problem]:
    """Return what keeps a file from being read: its format, columns, types, emptiness."""
    try:
        described = session.execute(f"describe from read_parquet({_quoted(path)})")
        types = {row[0]: row[1] for row in described.fetchall()}
        rows = session.execute(f"select count(*) from read_parquet({_quoted(path)})")
        n_rows = rows.fetchone()[0]
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        return [
            Problem(
                str(path), "", "a Parquet file", reason, "write the file again"
            )
        ]  # fmt: skip
    problems = []
    for column, expected in kind.columns.items():
        if column not in types:
            problems.append(
                Problem(
                    str(path), f"column '{column}'", f"it, as {expected}",
                    f"only {', '.join(types)}", f"add the column '{column}'",
                )
            )  # fmt: skip
        elif types[column] != expected:
            is_naive = expected == TIMESTAMP and types[column].startswith("TIMESTAMP")
            fix = (
                "localise it to UTC: a time without a zone is ambiguous"
                if is_naive
                else f"cast the column to {expected}"
            )
            problems.append(
                Problem(str(path), f"column '{column}'", expected, types[column], fix)
            )
    if not problems and n_rows == 0 and kind is BARS:
        problems.append(
            Problem(str(path), "", "at least one bar", "no rows", "remove the file")
        )
    return problems


def _row_problems(
    session: duckdb.DuckDBPyConnection, path: Path, rows: str, rules: list[Rule]
) -> Iterator[Problem]:
    """Yield one problem per broken rule: its first bad row, and how many there are."""
    picks = ", ".join(
        f"count_if({rule.is_bad}) as bad_{i}, "
        f"arg_min(struct_pack(row := row, shown := ({rule.shown})::varchar), row) "
        f"filter (where {rule.is_bad}) as first_{i}"
        for i, rule in enumerate(rules)
    )
    found = session.execute(f"with checked as ({rows}) select {picks} from checked")
    values = found.fetchone()
    for i, rule in enumerate(rules):
        n_bad, first = values[2 * i], values[2 * i + 1]
        if n_bad:
            more = f" (and {n_bad - 1} more)" if n_bad > 1 else ""
            yield Problem(
                str(path), f"row {first['row']}", rule.expected,
                f"{first['shown']}{more}", rule.fix,
            )  # fmt: skip


def _null_rule(kind: Kind) -> Rule:
    columns = list(kind.columns)
    return Rule(
        " or ".join(f"{column} is null" for column in columns),
        "a value in every column",
        "concat_ws(', ', "
        + ", ".join(f"case when {c} is null then '{c} is null' end" for c in columns)
        + ")",
        "drop the row: missing stays missing",
    )


def _numbered(path: Path, extra: str) -> str:
    return (
        f"select *, file_row_number + 1 as row, {extra} "
        f"from read_parquet({_quoted(path)}, file_row_number = true)"
    )


def _bar_rows(path: Path) -> str:
    return _numbered(
        path,
        "lag(ts) over (order by file_row_number) as previous_ts, "
        "count(*) over (partition by ts) as copies",
    )


def _macro_rows(path: Path) -> str:
    return _numbered(path, "count(*) over (partition by series, date, known_at) as copies")


def _funding_rows(path: Path) -> str:
    return _numbered(path, "count(*) over (partition by symbol, ts) as copies")


def _series_problems(
    session: duckdb.DuckDBPyConnection, path: Path, declared: dict[str, MacroSeries]
) -> Iterator[Problem]:
    """Yield unknown series, and series whose values cannot be in their declared unit."""
    spans = session.execute(
        "select series, min(value), max(value), "
        "arg_min(file_row_number + 1, value), arg_max(file_row_number + 1, value) "
        f"from read_parquet({_quoted(path)}, file_row_number = true) "
        "where isfinite(value) group by series order by series"
    ).fetchall()
    for name, low, high, low_row, high_row in spans:
        series = declared.get(name)
        if series is None:
            yield Problem(
                str(path), f"series '{name}'", f"one of {', '.join(declared)}",
                f"'{name}'", "correct the name, or declare it in seeds/macro_series.csv",
            )  # fmt: skip
            continue
        if low < series.min_value or high > series.max_value:
            row, value = (low_row, low) if low < series.min_value else (high_row, high)
            yield Problem(
                str(path), f"row {row}, series '{name}'",
                f"{series.unit} within {series.min_value:g} to {series.max_value:g}",
                f"{value:g}", "convert the values to the unit in seeds/macro_series.csv",
            )  # fmt: skip
        elif high < series.max_at_least:
            yield Problem(
                str(path), f"series '{name}'",
                f"{series.unit}, somewhere at least {series.max_at_least:g}",
                f"at most {high:g}: fractions in the place of {series.unit}?",
                "convert the values to the unit in seeds/macro_series.csv",
            )  # fmt: skip


def _funding_unit_problems(
    session: duckdb.DuckDBPyConnection, path: Path
) -> Iterator[Problem]:
    median = session.execute(
        f"select median(abs(funding_rate)) from read_parquet({_quoted(path)})"
    ).fetchone()[0]
    if median is not None and median > GREATEST_MEDIAN_FUNDING:
        yield Problem(
            str(path), "column 'funding_rate'",
            f"fractions with a median of at most {GREATEST_MEDIAN_FUNDING:g}",
            f"a median of {median:g}", "divide percentages by 100",
        )  # fmt: skip


def _files(market: Path, kind: Kind) -> tuple[list[Path], list[Problem]]:
    folder = market / kind.folder
    paths = sorted(folder.glob("*.parquet"))
    if paths:
        return paths, []
    return [], [
        Problem(
            str(folder), "", f"*.parquet with {', '.join(kind.columns)}",
            "no such file" if folder.is_dir() else "no such folder",
            "point BARSIEVE_MARKET at a market folder (bars/, macro/, funding/); "
            "without data of a kind, an empty file with these columns will do",
        )
    ]  # fmt: skip


def _same_key_problems(
    session: duckdb.DuckDBPyConnection, paths: list[Path], kind: Kind, keys: str
) -> Iterator[Problem]:
    """Yield a key that stands in two files of a folder."""
    if len(paths) < 2:
        return
    listed = ", ".join(_quoted(path) for path in paths)
    twice = session.execute(
        f"select {keys}, list(distinct parse_filename(filename)) "
        f"from read_parquet([{listed}], filename = true, union_by_name = true) "
        f"group by {keys} having count(distinct filename) > 1 order by all limit 1"
    ).fetchone()
    if twice:
        *key, names = twice
        yield Problem(
            str(paths[0].parent), ", ".join(str(part) for part in key),
            f"each ({keys}) in one file", f"it in {' and '.join(sorted(names))}",
            "remove it from one of the files",
        )  # fmt: skip


def check_market(market: Path, seed: Path) -> tuple[list[str], list[Problem]]:
    """Return the symbols of a market folder and everything that is wrong with it.

    `seed` is the declaration of the macro series, `seeds/macro_series.csv`.
    """
    if not market.is_dir():
        return [], [
            Problem(
                str(market), "", "a market folder with bars/, macro/ and funding/",
                "no such folder",
                "set BARSIEVE_MARKET to your market, or unset it for the simulated one",
            )
        ]  # fmt: skip
    session = duckdb.connect()
    session.execute("set timezone = 'UTC'")
    declared = read_macro_series(seed)
    problems: list[Problem] = []
    symbols: list[str] = []
    sound: dict[str, list[Path]] = {}
    for kind, rows, rules in (
        (BARS, _bar_rows, BAR_RULES),
        (MACRO, _macro_rows, MACRO_RULES),
        (FUNDING, _funding_rows, FUNDING_RULES),
    ):
        paths, missing = _files(market, kind)
        problems += missing
        for path in paths:
            if kind is BARS:
                symbols.append(path.stem)
            found = _shape_problems(session, path, kind)
            problems += found
            if found:
                continue
            sound.setdefault(kind.folder, []).append(path)
            problems += _row_problems(
                session, path, rows(path), [_null_rule(kind), *rules]
            )
            if kind is MACRO:
                problems += _series_problems(session, path, declared)
            if kind is FUNDING:
                problems += _funding_unit_problems(session, path)
    problems += _same_key_problems(
        session, sound.get("macro", []), MACRO, "series, date, known_at"
    )
    problems += _same_key_problems(session, sound.get("funding", []), FUNDING, "symbol, ts")
    return symbols, problems
