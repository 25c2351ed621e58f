"""A market folder checked before any model is built. Nothing is ever written to it.

Rules are SQL predicates that a bad row fulfils; each says what was expected and how to
mend it. The first bad row of a file is named, with the number of them.
"""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import duckdb

from barsieve.core.arrow import row_of
from barsieve.core.errors import Problem
from barsieve.core.locations import parquet_rows, quoted_path  # noqa: F401
from barsieve.core.sessions import new_session
from barsieve.market.price_steps import IMPOSSIBLE, SCALE_FIX

TIMESTAMP, DOUBLE, TEXT, DAY = (
    "TIMESTAMP WITH TIME ZONE",
    "DOUBLE",
    "VARCHAR",
    "DATE",
)
# What pandas may write; the contracts of the models count in microseconds.
TIMESTAMP_NS = "TIMESTAMPTZ_NS"
PRICES = ("open", "high", "low", "close")

# DuckDB adds columns of these names when it reads a file, and fails where one exists.
RESERVED_COLUMNS = ("filename", "file_row_number")

# A median funding rate per 8 h beyond this is a percentage in the place of a fraction.
GREATEST_MEDIAN_FUNDING = 0.002
# No perpetual settles more rarely.
GREATEST_INTERVAL_HOURS = 24


class Kind(NamedTuple):
    """One kind of market file: its folder, its columns with their types, its key.

    `optional` columns may be there, and then have their type; their nulls are unknown.
    """

    folder: str
    columns: dict[str, str]
    keys: tuple[str, ...]
    optional: Mapping[str, str] = MappingProxyType({})


BARS = Kind(
    "bars", {"ts": TIMESTAMP, **dict.fromkeys((*PRICES, "volume"), DOUBLE)}, ("ts",)
)
MACRO = Kind(
    "macro",
    {"date": DAY, "series": TEXT, "value": DOUBLE, "known_at": TIMESTAMP},
    ("series", "date", "known_at"),
)
FUNDING = Kind(
    "funding",
    {"ts": TIMESTAMP, "symbol": TEXT, "funding_rate": DOUBLE},
    ("symbol", "ts"),
    {"interval_hours": DOUBLE},
)


class Rule(NamedTuple):
    """Rule of rows: what a bad one fulfils, what was expected, what to show, a fix."""

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
        "ts is not null and copy > 1",
        "each ts once",
        "ts || ' again'",
        "remove the duplicate bar",
    ),
    Rule(
        "not isfinite(ts) or epoch_us(ts) % 3600000000 != 0",
        "ts on the full hour (the bar's open, UTC)",
        "ts",
        "resample the bars to hours; ts is the open of the bar",
    ),
    *_price_rules(),
    Rule(
        "high < low and isfinite(high) and isfinite(low)",
        "high >= low",
        "'high ' || high || ' < low ' || low",
        "correct the bar at its source",
    ),
    Rule(
        "high >= low and (isfinite(open) and open not between low and high"
        " or isfinite(close) and close not between low and high)",
        "open and close between low and high",
        "concat('open ', open, ', high ', high, ', low ', low, ', close ', close)",
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
        "known_at < date or not isfinite(date) or not isfinite(known_at)",
        "known_at not before the day observed, neither of them infinite",
        "series || ' of ' || date || ' known at ' || known_at",
        "known_at is when the value was published, not when it was measured",
    ),
    Rule(
        "series is not null and date is not null and known_at is not null and copy > 1",
        "each series, date and known_at once",
        "series || ' of ' || date || ' again'",
        "remove the duplicate",
    ),
    Rule("not isfinite(value)", "a finite value", "series || ' ' || value", "drop it"),
]

FUNDING_RULES = [
    Rule(
        "symbol is not null and ts is not null and copy > 1",
        "each symbol and ts once",
        "symbol || ' at ' || ts || ' again'",
        "remove the duplicate",
    ),
    Rule("not isfinite(ts)", "a finite ts", "symbol || ' at ' || ts", "correct the ts"),
    Rule(
        "not isfinite(funding_rate) or abs(funding_rate) > 0.05",
        "a fraction per 8 h within 5 %",
        "symbol || ' ' || funding_rate",
        "rates are fractions (0.0001 is 0.01 %), not percent",
    ),
]

# What only a whole file can break: its rows beside one another.
STEP_RULES = [Rule(*step, SCALE_FIX) for step in IMPOSSIBLE]

RULES = {"bars": BAR_RULES, "macro": MACRO_RULES, "funding": FUNDING_RULES}


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


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _name_problems(path: Path) -> Iterator[Problem]:
    """Yield what keeps DuckDB from finding a file, or its symbol, by its name."""
    if not path.is_file():
        yield Problem(
            str(path),
            expected="a Parquet file",
            found="a folder" if path.is_dir() else "a link to nothing",
            fix="write the data as one file",
        )
    elif "\\" in path.name or not _is_utf8(str(path)):
        yield Problem(
            str(path),
            "the file's name",
            expected="UTF-8 text without a backslash",
            found=ascii(path.name),
            fix="rename the file",
        )


def _unreadable(path: Path, error: duckdb.Error) -> Problem:
    return Problem(
        str(path),
        expected="a Parquet file that can be read",
        found=str(error).splitlines()[0],
        fix="write the file again",
    )


def _type_fix(expected: str, found: str) -> str:
    if expected == TIMESTAMP and found == TIMESTAMP_NS:
        return "cast it from nanoseconds to microseconds (pandas: .dt.as_unit('us'))"
    if expected == TIMESTAMP and found.startswith("TIMESTAMP"):
        return "localise it to UTC: a time without a zone is ambiguous"
    return f"cast the column to {expected}"


def _type_problem(path: Path, column: str, expected: str, found: str) -> Problem:
    return Problem(
        str(path),
        f"column '{column}'",
        expected=expected,
        found=found,
        fix=_type_fix(expected, found),
    )


def _shape_problems(
    session: duckdb.DuckDBPyConnection, path: Path, kind: Kind
) -> list[Problem]:
    """Return what keeps a file from being read: its name, format, columns, types."""
    problems = list(_name_problems(path))
    if problems:
        return problems
    try:
        described = session.execute(f"describe from {parquet_rows(path)}")
        types = {row[0]: row[1] for row in described.fetchall()}
        rows = session.execute(f"select count(*) from {parquet_rows(path)}")
        (n_rows,) = row_of(rows)
    except duckdb.Error as error:
        return [_unreadable(path, error)]
    for column, expected in kind.columns.items():
        if column not in types:
            problems.append(
                Problem(
                    str(path),
                    f"column '{column}'",
                    expected=f"it, as {expected}",
                    found=f"only {', '.join(types)}",
                    fix=f"add the column '{column}'",
                )
            )
        elif types[column] != expected:
            problems.append(_type_problem(path, column, expected, types[column]))
    for column, expected in kind.optional.items():
        if types.get(column, expected) != expected:
            problems.append(_type_problem(path, column, expected, types[column]))
    for column in types:
        if column.lower() in RESERVED_COLUMNS:
            problems.append(
                Problem(
                    str(path),
                    f"column '{column}'",
                    expected=f"no column of the name {' or '.join(RESERVED_COLUMNS)}",
                    found=f"'{column}'",
                    fix="rename the column or leave it out",
                )
            )
    if not problems and n_rows == 0 and kind is BARS:
        problems.append(
            Problem(
                str(path),
                expected="at least one bar",
                found="no rows",
                fix="remove the file",
            )
        )
    return problems


def _row_problems(
    session: duckdb.DuckDBPyConnection, path: Path, rows: str, rules: list[Rule]
) -> Iterator[Problem]:
    """Yield one problem per broken rule: its first bad row, and how many there are."""
    counts = ", ".join(f"count_if({rule.is_bad})" for rule in rules)
    n_bad_rows = row_of(session.execute(f"select {counts} from ({rows})"))
    for rule, n_bad in zip(rules, n_bad_rows, strict=True):
        if n_bad:
            first = session.execute(
                f"select row, ({rule.shown})::varchar from ({rows}) "
                f"where {rule.is_bad} order by row limit 1"
            )
            row, shown = row_of(first)
            more = f" (and {n_bad - 1} more)" if n_bad > 1 else ""
            yield Problem(
                str(path),
                f"row {row}",
                expected=rule.expected,
                found=f"{shown}{more}",
                fix=rule.fix,
            )


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


def _rows(path: Path, kind: Kind) -> str:
    """Return SQL for the rows of a file, numbered, with what the rules compare.

    Of bars also the close before.

    `copy` counts the rows of an equal key up to this one. Never `*`: further columns
    of the user's may bear any name, even one that the rules read.
    """
    keys, first = ", ".join(kind.keys), kind.keys[0]
    before = "lag(close) over (order by file_row_number) as previous_close, "
    return (
        f"select {', '.join(kind.columns)}, file_row_number + 1 as row, "
        f"{before if kind is BARS else ''}"
        f"lag({first}) over (order by file_row_number) as previous_{first}, "
        f"row_number() over (partition by {keys} order by file_row_number) as copy "
        f"from {parquet_rows(path, 'file_row_number = true')}"
    )


def _series_problems(
    session: duckdb.DuckDBPyConnection, path: Path, declared: dict[str, MacroSeries]
) -> Iterator[Problem]:
    """Yield unknown series, and series that cannot be in their declared unit."""
    spans = session.execute(
        "select series, min(value), max(value), "
        "arg_min(file_row_number + 1, value), arg_max(file_row_number + 1, value) "
        f"from {parquet_rows(path, 'file_row_number = true')} "
        "where isfinite(value) and series is not null group by series order by series"
    ).fetchall()
    for name, low, high, low_row, high_row in spans:
        series = declared.get(name)
        if series is None:
            yield Problem(
                str(path),
                f"series '{name}'",
                expected=f"one of {', '.join(declared)}",
                found=f"'{name}'",
                fix="correct the name, or declare it in seeds/macro_series.csv",
            )
            continue
        if low < series.min_value or high > series.max_value:
            row, value = (low_row, low) if low < series.min_value else (high_row, high)
            yield Problem(
                str(path),
                f"row {row}, series '{name}'",
                expected=(
                    f"{series.unit} within {series.min_value:g} to {series.max_value:g}"
                ),
                found=f"{value:.12g}",
                fix="convert the values to the unit in seeds/macro_series.csv",
            )
        elif high < series.max_at_least:
            yield Problem(
                str(path),
                f"series '{name}'",
                expected=f"{series.unit}, somewhere at least {series.max_at_least:g}",
                found=f"at most {high:.12g}: fractions in the place of {series.unit}?",
                fix="convert the values to the unit in seeds/macro_series.csv",
            )


def settlements(rows: str, has_interval: bool) -> str:
    """Return SQL for funding with the minute and the hours that a rate is for.

    Stamps are late by milliseconds: a settlement is that of its nearest minute. The
    hours are those of the file, else the shorter of the last two gaps; 8 without.
    """
    minute = "time_bucket(interval '1 minute', ts + interval '30 seconds')"
    gap = "epoch(minute - lag(minute) over w) / 3600"
    return (
        f"select *, coalesce({'interval_hours' if has_interval else 'null'}, "
        "least(gap_hours, lag(gap_hours) over w), 8) as hours "
        f"from (select *, {gap} as gap_hours from (select *, {minute} as minute "
        f"from {rows} where isfinite(ts)) window w as (partition by symbol order by ts)"
        ") window w as (partition by symbol order by ts)"
    )


def has_column(
    session: duckdb.DuckDBPyConnection, paths: Path | list[Path], column: str
) -> bool:
    """Tell whether Parquet files have a column."""
    rows = parquet_rows(paths, "union_by_name = true")
    described = session.execute(f"describe from {rows}").fetchall()
    return column in [row[0] for row in described]


def _funding_problems(
    session: duckdb.DuckDBPyConnection, path: Path
) -> Iterator[Problem]:
    """Yield rates in another unit, intervals that are none, settlements told twice."""
    has_interval = has_column(session, path, "interval_hours")
    rows = settlements(parquet_rows(path), has_interval)
    # A rate is compared by what it comes to in 8 h: an hourly one is an eighth.
    rates = session.execute(
        f"select median(abs(funding_rate) * 8 / hours) from ({rows}) "
        "where isfinite(funding_rate) and hours > 0"
    )
    (median,) = row_of(rates)
    if median is not None and median > GREATEST_MEDIAN_FUNDING:
        yield Problem(
            str(path),
            "column 'funding_rate'",
            expected=(
                "fractions with a median of at most "
                f"{GREATEST_MEDIAN_FUNDING:g} per 8 h"
            ),
            found=f"a median of {median:.12g}",
            fix="divide percentages by 100",
        )
    if has_interval:
        rules = [
            Rule(
                "not isfinite(interval_hours) or interval_hours <= 0 "
                f"or interval_hours > {GREATEST_INTERVAL_HOURS}",
                f"hours above 0, at most {GREATEST_INTERVAL_HOURS}, or null",
                "symbol || ' ' || interval_hours",
                "interval_hours is how many hours the rate was for",
            )
        ]
        numbered = (
            "select symbol, interval_hours, file_row_number + 1 as row "
            f"from {parquet_rows(path, 'file_row_number = true')}"
        )
        yield from _row_problems(session, path, numbered, rules)
    twice = session.execute(
        "select count(*) over (), symbol, minute::varchar, min(ts)::varchar, "
        f"max(ts)::varchar from ({rows}) where symbol is not null "
        "group by symbol, minute having count(distinct ts) > 1 order by all limit 1"
    ).fetchone()
    if twice:
        n, symbol, minute, first, last = twice
        more = f" (and {n - 1} more)" if n > 1 else ""
        yield Problem(
            str(path),
            f"{symbol} at {minute}",
            expected="one settlement a minute",
            found=f"{first} and {last}{more}",
            fix="keep one: both would be paid",
        )


def _in_place_of_folder(path: Path) -> str:
    return "a file" if path.exists() else "no such folder"


def _files(market: Path, kind: Kind) -> tuple[list[Path], list[Problem]]:
    folder = market / kind.folder
    paths = sorted(folder.glob("*.parquet"))
    # A market without macro or funding is a market; report_health says what it lacks.
    if paths or (kind is not BARS and (folder.is_dir() or not folder.exists())):
        return paths, []
    fix = "point BARSIEVE_MARKET at a market folder (bars/, macro/, funding/)"
    found = "no such file" if folder.is_dir() else _in_place_of_folder(folder)
    columns = ", ".join(kind.columns)
    return [], [
        Problem(str(folder), expected=f"*.parquet with {columns}", found=found, fix=fix)
    ]


def _same_key_problems(
    session: duckdb.DuckDBPyConnection, paths: list[Path], kind: Kind
) -> Iterator[Problem]:
    """Yield a key that stands in two files of a folder, and how many such keys."""
    if len(paths) < 2:
        return
    # As text: Python has no time after the year 9999.
    shown = ", ".join(f"{key}::varchar" for key in kind.keys)
    keys = ", ".join(kind.keys)
    twice = session.execute(
        f"select count(*) over (), list(distinct parse_filename(filename)), {shown} "
        f"from {parquet_rows(paths, 'filename = true')} group by {keys} "
        f"having count(distinct filename) > 1 order by {keys} limit 1"
    ).fetchone()
    if twice:
        n_keys, names, *key = twice
        more = f" (and {n_keys - 1} more such keys)" if n_keys > 1 else ""
        yield Problem(
            str(paths[0].parent),
            ", ".join(str(part) for part in key),
            expected=f"each {keys} in one file",
            found=f"it in {' and '.join(sorted(names))}{more}",
            fix="remove it from one of the files",
        )


def _spacing_problems(
    session: duckdb.DuckDBPyConnection, path: Path
) -> Iterator[Problem]:
    """Yield bars of another length: a gap is legitimate, gaps alone are not."""
    steps = session.execute(
        "select median(step) / 3600000000 from ("
        "select epoch_us(ts) - lag(epoch_us(ts)) over (order by ts) as step "
        f"from {parquet_rows(path)} where isfinite(ts))"
    )
    (step,) = row_of(steps)
    if step is not None and step > 1:
        yield Problem(
            str(path),
            "column 'ts'",
            expected="hourly bars (most of them 1 h after another)",
            found=f"a median step of {step:g} h",
            fix="export the hourly bars of the symbol",
        )


def _content_problems(
    session: duckdb.DuckDBPyConnection,
    path: Path,
    kind: Kind,
    declared: dict[str, MacroSeries],
) -> Iterator[Problem]:
    """Yield what is wrong with the rows of a file of sound shape."""
    rules = [_null_rule(kind), *RULES[kind.folder]]
    broken = list(_row_problems(session, path, _rows(path, kind), rules))
    yield from broken
    if kind is BARS and not broken:
        # A bar that is wrong by itself would be told again as two steps.
        yield from _row_problems(session, path, _rows(path, kind), STEP_RULES)
    if kind is BARS:
        yield from _spacing_problems(session, path)
    if kind is MACRO:
        yield from _series_problems(session, path, declared)
    if kind is FUNDING:
        yield from _funding_problems(session, path)


def file_problems(
    path: Path, kind: Kind, declared: dict[str, MacroSeries]
) -> list[Problem]:
    """Return everything that is wrong with one file of a market."""
    with new_session() as session:
        problems = _shape_problems(session, path, kind)
        if problems:
            return problems
        try:
            return list(_content_problems(session, path, kind, declared))
        except duckdb.Error as error:
            return [_unreadable(path, error)]


def _kind_problems(
    session: duckdb.DuckDBPyConnection,
    market: Path,
    kind: Kind,
    declared: dict[str, MacroSeries],
) -> tuple[list[Path], list[Problem]]:
    """Return the files of a kind and everything that is wrong with them."""
    paths, problems = _files(market, kind)
    sound = []
    for path in paths:
        found = _shape_problems(session, path, kind)
        if not found:
            # The shape comes from the end of a file; its middle may still be damaged.
            try:
                found = list(_content_problems(session, path, kind, declared))
                sound.append(path)
            except duckdb.Error as error:
                found = [_unreadable(path, error)]
        problems += found
    if kind is not BARS:  # each file of bars is a symbol of its own
        problems += _same_key_problems(session, sound, kind)
    return paths, problems


def check_market(market: Path, seed: Path) -> tuple[list[str], list[Problem]]:
    """Return the symbols of a market folder and everything that is wrong with it.

    `seed` is the declaration of the macro series, `seeds/macro_series.csv`.
    """
    if not market.is_dir():
        return [], [
            Problem(
                str(market),
                expected="a market folder with bars/, macro/ and funding/",
                found=_in_place_of_folder(market),
                fix=(
                    "set BARSIEVE_MARKET to your market, or unset it for the "
                    "simulated one"
                ),
            )
        ]
    declared = read_macro_series(seed)
    with new_session() as session:
        bars, problems = _kind_problems(session, market, BARS, declared)
        for kind in (MACRO, FUNDING):
            problems += _kind_problems(session, market, kind, declared)[1]
    return [path.stem for path in bars], problems
