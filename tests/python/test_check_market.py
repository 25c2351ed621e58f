"""Bad markets are refused by name of file, place, expectation, finding and fix."""

import hashlib
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from barsieve.core.errors import InputError, Problem, describe
from barsieve.core.locations import SPECIAL
from barsieve.database.input_check import check_input
from barsieve.market.check import check_market
from barsieve.market.simulation import simulate, write_market

PROJECT = Path(__file__).parents[2]
SEED = PROJECT / "seeds" / "macro_series.csv"
BARS, MACRO = "bars/BTC.parquet", "macro/macro_daily.parquet"
FUNDING = "funding/funding_8h.parquet"
COLUMNS = {
    BARS: ("ts", "open", "high", "low", "close", "volume"),
    MACRO: ("date", "series", "value", "known_at"),
    FUNDING: ("ts", "symbol", "funding_rate"),
}
FIRST_BAR = datetime(2021, 3, 1, tzinfo=UTC)
NAN, INFINITY = float("nan"), float("inf")

Change = Callable[[pa.Table], pa.Table]


@pytest.fixture(scope="module")
def sound_market(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("sound") / "market"
    write_market(simulate(hours=24 * 40, symbols=("BTC",)), folder)
    return folder


@pytest.fixture
def market(sound_market, tmp_path) -> Path:
    return Path(shutil.copytree(sound_market, tmp_path / "market"))


def fingerprint(folder: Path) -> dict[str, tuple[int, str]]:
    return {
        str(path): (
            path.lstat().st_mtime_ns,
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
        )
        for path in [folder, *folder.rglob("*")]
        if os.path.lexists(path)
    }


def problems_of(market: Path) -> list[Problem]:
    """Check a market, and that the check left it alone and explains itself."""
    before = fingerprint(market)
    _, problems = check_market(market, SEED)
    assert fingerprint(market) == before
    for problem in problems:
        assert problem.file.startswith(str(market))
        assert all((problem.expected, problem.found, problem.fix)), problem
        assert "None" not in problem.found, problem
    assert not problems or describe(problems)
    return problems


def only_problem(market: Path) -> Problem:
    problems = problems_of(market)
    assert len(problems) == 1, describe(problems)
    return problems[0]


def assert_says(problem: Problem, file: Path, where, expected, found, fix) -> None:
    """Assert file and place exactly, and what the other three fields contain."""
    assert problem.file == str(file)
    assert problem.where == where
    assert expected in problem.expected
    assert found in problem.found
    assert fix in problem.fix


def the_problem(problems: list[Problem], expected: str) -> Problem:
    """Return the one problem with this expectation."""
    matching = [problem for problem in problems if expected in problem.expected]
    assert len(matching) == 1, describe(problems)
    return matching[0]


def change(path: Path, alter: Change) -> Path:
    pq.write_table(alter(pq.read_table(path)), path)
    return path


def put(column: str, *values: tuple[int, object]) -> Change:
    """Return a change that puts values into rows, counted from 1 as in a problem."""

    def alter(table: pa.Table) -> pa.Table:
        cells = table[column].to_pylist()
        for row, value in values:
            cells[row - 1] = value
        return replace(column, pa.array(cells, table[column].type))(table)

    return alter


def replace(column: str, cells) -> Change:
    return lambda table: table.set_column(
        table.column_names.index(column), column, cells
    )


def cast(column: str, kind: pa.DataType, safe: bool = True) -> Change:
    return lambda table: replace(column, table[column].cast(kind, safe=safe))(table)


def naive(column: str) -> Change:
    return lambda table: replace(
        column, pc.local_timestamp(table[column].cast(pa.timestamp("us", "UTC")))
    )(table)


def take(*rows: int) -> Change:
    """Return a change that keeps these rows, counted from 1."""
    return lambda table: table.take([row - 1 for row in rows])


def scaled(series: str, factor: float) -> Change:
    def alter(table: pa.Table) -> pa.Table:
        value = table["value"]
        wanted = pc.equal(table["series"], series)
        return replace("value", pc.if_else(wanted, pc.multiply(value, factor), value))(
            table
        )

    return alter


def rows_of(path: Path, series: str) -> list[int]:
    """Return the rows of a macro series, counted from 1."""
    names = pq.read_table(path)["series"].to_pylist()
    return [row for row, name in enumerate(names, 1) if name == series]


def value_at(path: Path, column: str, row: int):
    return pq.read_table(path)[column][row - 1].as_py()


# Sound markets


def test_a_simulated_market_is_sound_and_names_its_symbols(market):
    assert check_market(market, SEED) == (["BTC"], [])
    assert problems_of(market) == []


def test_the_shipped_demo_market_is_sound():
    assert check_market(PROJECT / "data" / "demo", SEED) == (["BTC", "ETH"], [])


@pytest.mark.real_market
def test_the_real_market_is_sound(real_market):
    before = fingerprint(real_market)
    symbols, problems = check_market(real_market, SEED)
    assert problems == []
    assert {"BTC", "ETH"} <= set(symbols)
    assert fingerprint(real_market) == before


def test_gaps_and_quiet_bars_are_sound(market):
    change(market / BARS, lambda t: pa.concat_tables([t.slice(0, 50), t.slice(73)]))
    change(market / BARS, put("volume", (60, 0.0)))
    assert problems_of(market) == []


def test_macro_and_funding_may_have_no_rows(market):
    for file in (MACRO, FUNDING):
        change(market / file, lambda table: table.slice(0, 0))
    assert problems_of(market) == []


def test_a_later_vintage_of_a_macro_value_is_sound(market):
    row = rows_of(market / MACRO, "VIX")[5]
    later = value_at(market / MACRO, "known_at", row) + timedelta(days=30)
    change(market / MACRO, lambda t: pa.concat_tables([t, take(row)(t)]))
    change(market / MACRO, put("known_at", (0, later)))
    assert problems_of(market) == []


def test_a_value_known_at_the_start_of_its_day_is_sound(market):
    day = value_at(market / MACRO, "date", 1)
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    change(market / MACRO, put("known_at", (1, midnight)))
    assert problems_of(market) == []


def test_a_value_known_just_before_its_day_in_utc_is_refused(market):
    day = value_at(market / MACRO, "date", 1)
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    change(market / MACRO, put("known_at", (1, midnight - timedelta(microseconds=1))))
    assert "known_at not before" in only_problem(market).expected


def test_columns_may_come_in_another_order_with_further_ones_among_them(market):
    def alter(table: pa.Table) -> pa.Table:
        zeros = pa.array([0] * table.num_rows)
        for name in ("row", "copy", "copies", "previous_ts", "checked", "note 'x'"):
            table = table.append_column(name, zeros)
        return table.select(sorted(table.column_names, reverse=True))

    for file in COLUMNS:
        change(market / file, alter)
    assert problems_of(market) == []


def test_bars_of_another_length_are_refused(market):
    change(market / BARS, take(*range(1, 900, 24)))
    assert_says(
        only_problem(market), market / BARS, "column 'ts'",
        "hourly bars", "a median step of 24 h", "export the hourly bars",
    )  # fmt: skip


def test_a_further_column_hides_no_duplicate(market):
    def alter(table: pa.Table) -> pa.Table:
        twice = take(*range(1, 11), 10)(table)
        for name in ("copy", "row"):
            twice = twice.append_column(name, pa.array([1] * 11))
        return twice

    change(market / BARS, alter)
    assert_says(
        only_problem(market), market / BARS, "row 11",
        "each ts once", "2021-03-01 09:00:00+00 again", "remove the duplicate",
    )  # fmt: skip


def test_columns_that_duckdb_adds_itself_are_refused(market):
    expected = []
    for file in COLUMNS:
        for name in ("filename", "File_Row_Number"):
            change(
                market / file,
                lambda t, name=name: t.append_column(name, pa.nulls(t.num_rows)),
            )
            expected.append((file, name))
    for problem, (file, name) in zip(problems_of(market), expected, strict=True):
        assert_says(
            problem, market / file, f"column '{name}'",
            "no column of the name filename or file_row_number", f"'{name}'",
            "rename the column",
        )  # fmt: skip


# Times


def written_with(column: str, kind: pa.DataType, **options):
    def write(path: Path) -> None:
        pq.write_table(cast(column, kind)(pq.read_table(path)), path, **options)

    return write


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(written_with("ts", pa.timestamp("s", "UTC")), id="seconds"),
        pytest.param(written_with("ts", pa.timestamp("ms", "UTC")), id="ms"),
        pytest.param(written_with("ts", pa.timestamp("us", "UTC")), id="us"),
        pytest.param(
            written_with("ts", pa.timestamp("ns", "UTC"), version="2.4"),
            id="ns that the writer stores as us",
        ),
        pytest.param(
            written_with("ts", pa.timestamp("us", "Europe/Berlin")), id="Berlin"
        ),
        pytest.param(written_with("ts", pa.timestamp("ms", "+05:30")), id="+05:30"),
    ],
)
def test_times_of_any_zone_are_accepted_and_read_as_the_same_instants(market, write):
    """As the pipeline reads them: all bars at once, before any cast."""
    before = pq.read_table(market / BARS)["ts"].cast(pa.int64()).to_pylist()
    shutil.copy(market / BARS, market / "bars" / "ETH.parquet")
    write(market / BARS)
    assert problems_of(market) == []
    with duckdb.connect() as session:
        session.execute("set timezone = 'UTC'")
        kinds, instants = session.execute(
            "select list(distinct typeof(ts)), list(epoch_us(ts) order by ts) "
            "filter (filename like '%BTC.parquet') "
            f"from read_parquet('{market}/bars/*.parquet', filename = true)"
        ).fetchone()
    assert kinds == ["TIMESTAMP WITH TIME ZONE"]
    assert instants == before


TIMES = ((BARS, "ts"), (MACRO, "known_at"), (FUNDING, "ts"))


def test_nanoseconds_are_refused_because_the_models_count_microseconds(market):
    for file, column in TIMES:
        change(market / file, cast(column, pa.timestamp("ns", "UTC")))
    for problem, (file, column) in zip(problems_of(market), TIMES, strict=True):
        assert_says(
            problem, market / file, f"column '{column}'",
            "TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ_NS", "as_unit('us')",
        )  # fmt: skip


@pytest.mark.parametrize(
    ("unit", "found"), [("us", "TIMESTAMP"), ("ns", "TIMESTAMP_NS")]
)
def test_times_without_a_zone_are_refused(market, unit, found):
    for file, column in TIMES:
        change(market / file, naive(column))
        change(market / file, cast(column, pa.timestamp(unit)))
    for problem, (file, column) in zip(problems_of(market), TIMES, strict=True):
        assert_says(
            problem, market / file, f"column '{column}'",
            "TIMESTAMP WITH TIME ZONE", found, "localise it to UTC",
        )  # fmt: skip
        assert problem.found == found


def test_the_old_96_bit_times_are_refused_because_they_have_no_zone(market):
    table = pq.read_table(market / BARS)
    pq.write_table(table, market / BARS, use_deprecated_int96_timestamps=True)
    assert "localise it to UTC" in only_problem(market).fix


# Folders


def test_a_missing_market_is_refused(tmp_path):
    assert_says(
        only_problem(tmp_path / "nowhere"), tmp_path / "nowhere", "",
        "a market folder with bars/", "no such folder", "BARSIEVE_MARKET",
    )  # fmt: skip


def test_a_market_that_is_a_file_is_refused(tmp_path):
    path = tmp_path / "market.parquet"
    path.write_text("bars")
    assert_says(
        only_problem(path), path, "",
        "a market folder with bars/", "a file", "BARSIEVE_MARKET",
    )  # fmt: skip


@pytest.mark.parametrize("found", ["no such folder", "no such file", "a file"])
def test_bars_must_be_there(tmp_path, found):
    if found == "no such file":
        (tmp_path / "bars").mkdir()
        (tmp_path / "bars" / "BTC.csv").write_text("ts,open\n")
    elif found == "a file":
        (tmp_path / "bars").write_text("not a folder")
    assert_says(
        only_problem(tmp_path), tmp_path / "bars", "",
        "*.parquet with ts, open, high, low, close, volume", found, "BARSIEVE_MARKET",
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["macro", "funding"])
@pytest.mark.parametrize("is_there", [False, True], ids=["no folder", "empty folder"])
def test_a_market_without_macro_or_funding_is_sound(market, kind, is_there):
    shutil.rmtree(market / kind)
    if is_there:
        (market / kind).mkdir()
    assert problems_of(market) == []


@pytest.mark.parametrize("kind", ["macro", "funding"])
def test_a_file_in_the_place_of_a_folder_is_refused(market, kind):
    shutil.rmtree(market / kind)
    (market / kind).write_text("not a folder")
    problem = only_problem(market)
    assert (problem.file, problem.found) == (str(market / kind), "a file")


def test_missing_bars_are_one_problem(market):
    shutil.rmtree(market / "bars")
    assert only_problem(market).file == str(market / "bars")


# Files


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda content: b"ts,open\n2021-03-01,1\n" * 99, id="text"),
        pytest.param(lambda content: b"", id="zero bytes"),
        pytest.param(lambda content: content[: len(content) // 2], id="truncated"),
        pytest.param(lambda content: b"PAR1PAR1", id="only the magic"),
        pytest.param(
            lambda content: content[:4] + b"\xff" * 40 + content[44:],
            id="damaged behind a sound end",
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(market, damage):
    for file in COLUMNS:
        (market / file).write_bytes(damage((market / file).read_bytes()))
    for problem, file in zip(problems_of(market), COLUMNS, strict=True):
        assert_says(
            problem, market / file, "",
            "a Parquet file that can be read", "", "write the file again",
        )  # fmt: skip


def test_a_file_that_cannot_be_read_hides_no_other_problem(market):
    (market / BARS).write_bytes(b"")
    (market / "macro" / "a.parquet").write_bytes(b"PAR1")
    change(market / MACRO, put("value", (1, NAN)))
    problems = problems_of(market)
    assert [Path(p.file).name for p in problems] == [
        "BTC.parquet", "a.parquet", "macro_daily.parquet",
    ]  # fmt: skip


@pytest.mark.parametrize("first", [0, 1])
def test_every_column_must_be_there(market, first):
    dropped = [(f, name) for f, names in COLUMNS.items() for name in names[first::2]]
    for file, name in dropped:
        change(market / file, lambda table, name=name: table.drop_columns([name]))
    for problem, (file, name) in zip(problems_of(market), dropped, strict=True):
        others = [other for other in COLUMNS[file] if (file, other) not in dropped]
        assert_says(
            problem, market / file, f"column '{name}'",
            "it, as ", f"only {', '.join(others)}", f"add the column '{name}'",
        )  # fmt: skip


def test_a_column_in_capitals_is_not_the_column(market):
    change(market / BARS, lambda t: t.rename_columns(["TS", *t.column_names[1:]]))
    assert_says(
        only_problem(market), market / BARS, "column 'ts'",
        "TIMESTAMP WITH TIME ZONE", "only TS, open", "add the column 'ts'",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("file", "kinds"),
    [
        (
            BARS,
            {
                "ts": (pa.int64(), "TIMESTAMP WITH TIME ZONE", "BIGINT"),
                "open": (pa.int64(), "DOUBLE", "BIGINT"),
                "low": (pa.decimal128(18, 4), "DOUBLE", "DECIMAL(18,4)"),
                "close": (pa.float32(), "DOUBLE", "FLOAT"),
                "volume": (pa.string(), "DOUBLE", "VARCHAR"),
            },
        ),
        (
            MACRO,
            {
                "date": (pa.timestamp("us"), "DATE", "TIMESTAMP"),
                "series": (pa.binary(), "VARCHAR", "BLOB"),
                "value": (pa.string(), "DOUBLE", "VARCHAR"),
                "known_at": (pa.string(), "TIMESTAMP WITH TIME ZONE", "VARCHAR"),
            },
        ),
        (MACRO, {"date": (pa.string(), "DATE", "VARCHAR")}),
        (
            FUNDING,
            {
                "symbol": (pa.binary(), "VARCHAR", "BLOB"),
                "funding_rate": (pa.float32(), "DOUBLE", "FLOAT"),
            },
        ),
    ],
)
def test_every_column_must_have_its_type(market, file, kinds):
    for column, (kind, _, _) in kinds.items():
        change(market / file, cast(column, kind, safe=False))
    problems = problems_of(market)
    for problem, (column, (_, expected, found)) in zip(
        problems, kinds.items(), strict=True
    ):
        assert_says(
            problem, market / file, f"column '{column}'",
            expected, found, f"cast the column to {expected}",
        )  # fmt: skip


@pytest.mark.parametrize(
    "kind", [pa.large_string(), pa.dictionary(pa.int32(), pa.string())]
)
def test_text_may_be_stored_in_any_way(market, kind):
    change(market / MACRO, cast("series", kind))
    change(market / FUNDING, cast("symbol", kind))
    assert problems_of(market) == []


def test_a_bars_file_without_rows_is_refused(market):
    change(market / BARS, lambda table: table.slice(0, 0))
    assert_says(
        only_problem(market), market / BARS, "",
        "at least one bar", "no rows", "remove the file",
    )  # fmt: skip


def test_a_folder_in_the_place_of_a_file_is_refused(market):
    (market / "bars" / "ETH.parquet").mkdir()
    shutil.copy(market / BARS, market / "bars" / "ETH.parquet" / "part-0.parquet")
    assert_says(
        only_problem(market), market / "bars" / "ETH.parquet", "",
        "a Parquet file", "a folder", "write the data as one file",
    )  # fmt: skip


def test_a_link_to_nothing_is_refused(market):
    (market / "bars" / "ETH.parquet").symlink_to(market / "gone.parquet")
    assert_says(
        only_problem(market), market / "bars" / "ETH.parquet", "",
        "a Parquet file", "a link to nothing", "write the data",
    )  # fmt: skip


# Rows

MINUTE = timedelta(minutes=1)
BAD_ROWS = [
    pytest.param(
        BARS, take(*range(1, 11), *range(10, 51)),
        "row 11", "each ts once", "2021-03-01 09:00:00+00 again",
        "remove the duplicate bar", id="a bar twice",
    ),
    pytest.param(
        BARS, take(*range(1, 11), 10, 10, *range(11, 51)),
        "row 11", "each ts once", "2021-03-01 09:00:00+00 again (and 1 more)",
        "remove the duplicate bar", id="a bar three times",
    ),
    pytest.param(
        BARS, take(1, 2, 3, 4, 6, 5, 7, 8, 9),
        "row 6", "ascending order of ts",
        "2021-03-01 04:00:00+00 after 2021-03-01 05:00:00+00",
        "sort the file by ts", id="two bars exchanged",
    ),
    pytest.param(
        BARS, take(*range(50, 0, -1)),
        "row 2", "ascending order of ts", "(and 48 more)",
        "sort the file by ts", id="the last bar first",
    ),
    pytest.param(
        BARS, put("ts", (4, FIRST_BAR + timedelta(hours=3, minutes=30))),
        "row 4", "full hour", "2021-03-01 03:30:00+00", "resample",
        id="a bar half past the hour",
    ),
    pytest.param(
        BARS, put("ts", (4, FIRST_BAR + timedelta(hours=3, microseconds=1))),
        "row 4", "full hour", "2021-03-01 03:00:00.000001+00", "resample",
        id="a bar a microsecond off",
    ),
    pytest.param(
        BARS, lambda t: replace("ts", pc.add(t["ts"], 59 * MINUTE))(t).slice(0, 2),
        "row 1", "the bar's open", "2021-03-01 00:59:00+00 (and 1 more)",
        "ts is the open", id="bars stamped with their close",
    ),
    pytest.param(
        BARS, put("ts", (20, None)),
        "row 20", "a value in every column", "ts is null", "drop the row",
        id="a bar without a time",
    ),
    pytest.param(
        BARS, put("low", (7, 1e9)),
        "row 7", "high >= low", "< low 1000000000.0", "correct the bar",
        id="a high below the low",
    ),
    pytest.param(
        BARS, put("open", (7, 1e9)),
        "row 7", "open and close between low and high", "open 1000000000.0, high ",
        "correct the bar", id="an open above the high",
    ),
    pytest.param(
        BARS, put("close", (8, 1.0), (9, 1.0)),
        "row 8", "open and close between low and high", ", close 1.0 (and 1 more)",
        "correct the bar", id="closes below the low",
    ),
    pytest.param(
        BARS, put("volume", (30, -0.5)),
        "row 30", "a finite volume of at least 0", "-0.5", "do not fill",
        id="a negative volume",
    ),
    pytest.param(
        BARS, put("volume", (30, NAN)),
        "row 30", "a finite volume of at least 0", "nan", "do not fill",
        id="a volume of NaN",
    ),
    pytest.param(
        BARS, put("volume", (30, INFINITY)),
        "row 30", "a finite volume of at least 0", "inf", "do not fill",
        id="an infinite volume",
    ),
    pytest.param(
        MACRO, put("value", (3, NAN), (4, INFINITY)),
        "row 3", "a finite value", "nan (and 1 more)", "drop it",
        id="macro values of NaN and infinity",
    ),
    pytest.param(
        MACRO, put("known_at", (1, datetime(2019, 1, 1, tzinfo=UTC))),
        "row 1", "known_at not before the day observed",
        " known at 2019-01-01 00:00:00+00", "when the value was published",
        id="a macro value known before its day",
    ),
    pytest.param(
        MACRO, lambda t: pa.concat_tables([t.slice(0, 3), t.slice(2)]),
        "row 4", "each series, date and known_at once", "BTC.D of 2020-01-08 again",
        "remove the duplicate", id="a macro row twice",
    ),
    pytest.param(
        MACRO, put("series", (2, "VX")),
        "series 'VX'", "VIX, MOVE, DXY", "'VX'", "seeds/macro_series.csv",
        id="an unknown series",
    ),
    pytest.param(
        MACRO, put("series", (2, "FUNDING")),
        "series 'FUNDING'", "VIX, MOVE, DXY", "'FUNDING'", "correct the name",
        id="a funding rate among the macro series",
    ),
    pytest.param(
        FUNDING, lambda t: pa.concat_tables([t.slice(0, 5), t.slice(4)]),
        "row 6", "each symbol and ts once", "BTC at 2021-03-02 08:00:00+00 again",
        "remove the duplicate", id="a settlement twice",
    ),
    pytest.param(
        FUNDING, put("funding_rate", (9, 0.06)),
        "row 9", "a fraction per 8 h within 5 %", "BTC 0.06", "not percent",
        id="a funding rate of 6 %",
    ),
    pytest.param(
        FUNDING, put("funding_rate", (9, -0.06), (11, NAN)),
        "row 9", "a fraction per 8 h within 5 %", "BTC -0.06 (and 1 more)",
        "not percent", id="funding rates of -6 % and NaN",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "alter", "where", "expected", "found", "fix"), BAD_ROWS
)
def test_a_bad_row_is_named(market, file, alter, where, expected, found, fix):
    change(market / file, alter)
    assert_says(only_problem(market), market / file, where, expected, found, fix)


def test_a_missing_value_is_refused_in_every_column(market):
    for file, columns in COLUMNS.items():
        for row, column in enumerate(columns, 5):
            change(market / file, put(column, (5, None), (row, None)))
    for problem, file in zip(problems_of(market), COLUMNS, strict=True):
        nulls = ", ".join(f"{column} is null" for column in COLUMNS[file])
        assert_says(
            problem, market / file, "row 5", "a value in every column",
            f"{nulls} (and {len(COLUMNS[file]) - 1} more)", "drop the row",
        )  # fmt: skip


PRICES = ("open", "high", "low", "close")


@pytest.mark.parametrize("value", [NAN, INFINITY, -INFINITY])
def test_a_price_that_is_no_number_is_refused_once(market, value):
    for row, price in enumerate(PRICES, 12):
        change(market / BARS, put(price, (row, value)))
    for row, (problem, price) in enumerate(
        zip(problems_of(market), PRICES, strict=True), 12
    ):
        assert_says(
            problem, market / BARS, f"row {row}",
            f"a finite price above 0 in '{price}'", str(value), "drop the bar",
        )  # fmt: skip


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_a_price_of_zero_or_below_is_refused(market, value):
    for row, price in enumerate(PRICES, 12):
        change(market / BARS, put(price, (row, value)))
    problems = problems_of(market)
    for row, price in enumerate(PRICES, 12):
        assert_says(
            the_problem(problems, f"above 0 in '{price}'"), market / BARS, f"row {row}",
            "a finite price", str(value), "correct the price",
        )  # fmt: skip


def test_a_bar_that_comes_again_at_the_end_is_a_duplicate_and_out_of_order(market):
    change(market / BARS, take(*range(1, 51), 10))
    problems = problems_of(market)
    assert len(problems) == 2
    assert_says(
        the_problem(problems, "each ts once"), market / BARS, "row 51",
        "each ts once", "2021-03-01 09:00:00+00 again", "remove the duplicate bar",
    )  # fmt: skip
    assert_says(
        the_problem(problems, "ascending"), market / BARS, "row 51",
        "ascending", "2021-03-01 09:00:00+00 after 2021-03-03 01:00:00+00", "sort",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("file", "column", "expected"),
    [
        (BARS, "ts", "full hour"),
        (MACRO, "known_at", "infinite"),
        (MACRO, "date", "infinite"),
        (FUNDING, "ts", "a finite ts"),
    ],
)
def test_an_infinite_time_is_refused(market, file, column, expected):
    """DuckDB reads the greatest stored number as infinity."""

    def alter(table: pa.Table) -> pa.Table:
        kind = table[column].type
        width = pa.int32() if kind == pa.date32() else pa.int64()
        last = pa.array([2 ** (kind.bit_width - 1) - 1], width).cast(kind)
        cells = pa.concat_arrays(
            [table[column].combine_chunks().slice(0, table.num_rows - 1), last]
        )
        return replace(column, cells)(table)

    change(market / file, alter)
    last = pq.read_metadata(market / file).num_rows
    problem = only_problem(market)
    assert_says(
        problem, market / file, f"row {last}", expected, "infinity", problem.fix
    )


# Units


def test_a_dominance_in_fractions_is_refused(market):
    change(market / MACRO, scaled("BTC.D", 0.01))
    problem = only_problem(market)
    row = int(problem.where.split()[1].rstrip(","))
    lowest = value_at(market / MACRO, "value", row)
    assert row in rows_of(market / MACRO, "BTC.D")
    assert_says(
        problem, market / MACRO, f"row {row}, series 'BTC.D'",
        "percent within 5 to 100", f"{lowest:.12g}", "convert the values",
    )  # fmt: skip


def test_a_yield_in_fractions_is_refused_though_each_value_is_plausible(market):
    change(market / MACRO, scaled("US2Y", 0.01))
    values = pq.read_table(market / MACRO).filter(pc.field("series") == "US2Y")
    highest = pc.max(values["value"]).as_py()
    assert_says(
        only_problem(market), market / MACRO, "series 'US2Y'",
        "percent, somewhere at least 0.06", f"at most {highest:.12g}: fractions",
        "seeds/macro_series.csv",
    )  # fmt: skip


@pytest.mark.parametrize(("value", "found"), [(12.0, "12"), (1.2e4, "12000")])
def test_a_dollar_index_out_of_range_is_refused(market, value, found):
    row = rows_of(market / MACRO, "DXY")[7]
    change(market / MACRO, put("value", (row, value)))
    assert_says(
        only_problem(market), market / MACRO, f"row {row}, series 'DXY'",
        "index within 60 to 170", found, "convert the values",
    )  # fmt: skip


def test_a_value_just_out_of_range_is_not_rounded_into_it(market):
    row = rows_of(market / MACRO, "DXY")[7]
    change(market / MACRO, put("value", (row, 59.9999999)))
    assert only_problem(market).found == "59.9999999"


def test_funding_in_percent_is_refused(market):
    change(
        market / FUNDING,
        lambda t: replace("funding_rate", pc.multiply(t["funding_rate"], 100.0))(t),
    )
    assert_says(
        the_problem(problems_of(market), "a median"), market / FUNDING,
        "column 'funding_rate'",
        "fractions with a median of at most 0.002", "a median of 0.0", "divide",
    )  # fmt: skip


# Across files


@pytest.mark.parametrize(
    ("file", "where", "expected"),
    [
        (MACRO, "BTC.D, 2020-01-06, 2020-01-07 00:00:00+00", "series, date, known_at"),
        (FUNDING, "BTC, 2021-03-01 00:00:00+00", "symbol, ts"),
    ],
)
def test_a_row_in_two_files_is_refused(market, file, where, expected):
    path = market / file
    other = path.with_name("again.parquet")
    pq.write_table(pq.read_table(path).slice(0, 3), other)
    assert_says(
        only_problem(market), path.parent, where,
        f"each {expected} in one file",
        f"it in again.parquet and {path.name} (and 2 more such keys)",
        "remove it from one",
    )  # fmt: skip


@pytest.mark.parametrize("file", [MACRO, FUNDING])
def test_data_may_be_spread_over_files_of_different_columns(market, file):
    path = market / file
    table = pq.read_table(path)
    pq.write_table(table.slice(0, 40), path)
    rest = table.slice(40).append_column("note", pa.array([1] * (len(table) - 40)))
    names = rest.column_names[::-1]
    pq.write_table(rest.select(names), path.with_name("first.parquet"))
    assert problems_of(market) == []


def test_everything_that_is_wrong_is_reported_at_once(market):
    change(market / BARS, put("volume", (3, -1.0)))
    change(market / BARS, put("low", (5, NAN)))
    change(market / BARS, put("high", (9, None)))
    shutil.copy(market / BARS, market / "bars" / "ETH.parquet")
    change(market / "bars" / "ETH.parquet", lambda t: t.drop_columns(["open", "low"]))
    change(market / MACRO, scaled("BTC.D", 0.01))
    change(market / MACRO, put("series", (1, "VX")))
    shutil.rmtree(market / "funding")
    (market / "funding").write_text("not a folder")
    problems = problems_of(market)
    assert [(Path(p.file).name, p.where.split(",")[0]) for p in problems] == [
        ("BTC.parquet", "row 9"),
        ("BTC.parquet", "row 5"),
        ("BTC.parquet", "row 3"),
        ("ETH.parquet", "column 'open'"),
        ("ETH.parquet", "column 'low'"),
        ("macro_daily.parquet", problems[5].where.split(",")[0]),
        ("macro_daily.parquet", "series 'VX'"),
        ("funding", ""),
    ]
    assert "series 'BTC.D'" in problems[5].where


def test_a_bad_bars_file_still_names_its_symbol(market):
    (market / BARS).write_bytes(b"")
    assert check_market(market, SEED)[0] == ["BTC"]


# Names


@pytest.mark.parametrize(
    "name",
    [
        "my market", "O'Brien's", 'a "quoted" one', "Märkte_市場", "a[1]", "a*", "a?",
        "{x}", "a%20b", "#1; drop table x --", "back\\slash",
    ],
)  # fmt: skip
def test_the_market_may_lie_in_a_folder_of_any_name(sound_market, tmp_path, name):
    market = Path(shutil.copytree(sound_market, tmp_path / name))
    if set(name) & set("*?["):  # what the name would match, were it a pattern
        (tmp_path / "a1" / "bars").mkdir(parents=True)
        (tmp_path / "a1" / BARS).write_bytes(b"no bars")
    change(market / BARS, put("volume", (2, -2.0)))
    assert_says(
        only_problem(market), market / BARS, "row 2", "a finite volume", "-2.0", ""
    )


@pytest.mark.parametrize("name", ["ts=1", "symbol=BTCUSDT", "date=2019-01-01"])
def test_a_folder_that_duckdb_takes_for_a_column_hides_no_column(
    sound_market, tmp_path, name
):
    """By itself DuckDB reads `ts=1` in a path as a column before the file's own."""
    market = Path(shutil.copytree(sound_market, tmp_path / name))
    assert not problems_of(market)
    change(market / BARS, put("volume", (2, -2.0)))
    assert only_problem(market).where == "row 2"


@pytest.mark.parametrize(
    "symbol",
    [
        "ETH USDT", "a'b", 'a"b', "ÄTH", "a.b", "B*", "B?C", "[B]TC", "{}", "a;b", "-",
    ],
)  # fmt: skip
def test_a_bars_file_may_have_any_name_and_is_read_alone(market, symbol):
    path = market / "bars" / f"{symbol}.parquet"
    shutil.copy(market / BARS, path)
    change(market / BARS, put("volume", (2, -2.0)))
    symbols, problems = check_market(market, SEED)
    assert set(symbols) == {"BTC", symbol}
    assert [(problem.file, problem.where) for problem in problems] == [
        (str(market / BARS), "row 2")
    ]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        pytest.param(b"a\\b.parquet", r"'a\\b.parquet'", id="backslash"),
        pytest.param(b"\xff.parquet", r"'\udcff.parquet'", id="not UTF-8"),
    ],
)
def test_a_name_that_duckdb_misreads_is_refused(market, name, found):
    path = market / "bars" / os.fsdecode(name)
    try:
        shutil.copy(market / BARS, path)
    except OSError:
        pytest.skip("this file system has no such names")
    assert_says(
        only_problem(market), path, "the file's name",
        "UTF-8 text without a backslash", found, "rename the file",
    )  # fmt: skip


# The whole check, as the command line and every dbt run make it


@pytest.fixture
def in_project(monkeypatch):
    monkeypatch.chdir(PROJECT)
    monkeypatch.delenv("BARSIEVE_CONFIGS", raising=False)


def test_the_input_is_sound_as_shipped(in_project, monkeypatch):
    monkeypatch.delenv("BARSIEVE_MARKET", raising=False)
    assert check_input() == []


def test_the_input_is_checked_where_the_environment_points(
    in_project, monkeypatch, tmp_path
):
    monkeypatch.setenv("BARSIEVE_MARKET", str(tmp_path / "nowhere"))
    monkeypatch.setenv("BARSIEVE_CONFIGS", str(tmp_path / "nothing"))
    assert [(p.file, p.found) for p in check_input()] == [
        (str(tmp_path / "nowhere"), "no such folder"),
        (str(tmp_path / "nothing"), "no such folder"),
    ]


@pytest.mark.parametrize("name", ["O'Brien", "a*", "a?", "a[1]", "{x}", "a\\b"])
@pytest.mark.parametrize("variable", ["BARSIEVE_MARKET", "BARSIEVE_CONFIGS"])
def test_a_location_that_sql_would_misread_is_refused(
    in_project, monkeypatch, tmp_path, name, variable
):
    """The sources of dbt paste it into `read_parquet('.../*.parquet')` as it is."""
    monkeypatch.setenv("BARSIEVE_MARKET", str(tmp_path / "none"))
    monkeypatch.setenv("BARSIEVE_CONFIGS", str(tmp_path / "none"))
    monkeypatch.setenv(variable, str(tmp_path / name))
    special = " ".join(character for character in SPECIAL if character in name)
    first, *others = check_input()
    assert_says(
        first, tmp_path / name, f"variable {variable}",
        "a path without ' * ?", f"{special} in it", "rename the folder",
    )  # fmt: skip
    assert {problem.found for problem in others} == {"no such folder"}


def test_outside_a_project_the_check_says_where_to_run(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"no dbt_project\.yml in"):
        check_input()


# Problems


def test_a_problem_reads_as_file_place_expectation_finding_and_fix():
    problem = Problem(
        "bars/X.parquet",
        "row 7",
        expected="high >= low",
        found="high 1 < low 2",
        fix="mend",
    )
    assert str(problem) == (
        "bars/X.parquet: row 7: expected high >= low, found high 1 < low 2\n"
        "    fix: mend"
    )
    whole = Problem("bars", expected="a folder", found="a file", fix="make one")
    assert str(whole).startswith("bars: expected a folder, found a file\n")


def test_a_refusal_counts_its_problems():
    problem = Problem("a", "b", expected="c", found="d", fix="e")
    assert "(1 problem); nothing was built" in describe([problem])
    assert "(2 problems); nothing was built" in describe([problem, problem])
    assert str(InputError([problem, problem])) == f"{problem}\n{problem}"
    assert InputError([problem]).problems == [problem]


def test_a_problem_is_text_even_where_a_name_is_not():
    problem = Problem(
        os.fsdecode(b"\xff.parquet"), "b", expected="c", found="d", fix="e"
    )
    assert "\\udcff.parquet" in str(problem)
    assert str(problem).encode()
