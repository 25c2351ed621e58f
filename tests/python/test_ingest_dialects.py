"""A table in any dialect is read back to the same values or refused."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from barsieve.core.errors import InputError
from barsieve.ingest.hints import Hints
from barsieve.ingest.readings import read_files
from exports import BARS, HOURS, VALUES

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HEADER = "date,open,high,low,close,volume"


def read(folder: Path, content: str | bytes, name="BTC_USDT-1h.csv", **hints) -> list:
    """Return the rows of a file as (ts, open, high, low, close, volume)."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    (found,) = read_files(path, NOW, Hints(is_complete=True, **hints))
    return [tuple(row.values()) for row in found.bars.to_pylist()]


def read_or_refused(folder: Path, content: str | bytes, **hints) -> list | None:
    """Return the rows of a file, None for one that is refused in words."""
    try:
        return read(folder, content, **hints)
    except InputError as error:
        said = str(error)
    assert "fix:" in said
    return None


def refusal(folder: Path, content: str | bytes, **more) -> str:
    with pytest.raises(InputError) as refused:
        read(folder, content, **more)
    (problem,) = refused.value.problems
    assert all((problem.file, problem.expected, problem.found, problem.fix))
    return str(problem)


def lines(form: str = "%Y-%m-%dT%H:%M:%SZ") -> list[str]:
    found = [HEADER]
    for hour, values in zip(HOURS, VALUES, strict=True):
        found.append(",".join([f"{hour:{form}}", *map(repr, values)]))
    return found


def changed(row: int, column: int, cell: str) -> str:
    """Return the table with one cell changed; row 0 is the first below the header."""
    found = lines()
    cells = found[row + 1].split(",")
    cells[column] = cell
    found[row + 1] = ",".join(cells)
    return "\n".join(found)


def swapped(one: int, other: int) -> str:
    found = [line.split(",") for line in lines()]
    for cells in found[1:]:
        cells[one], cells[other] = cells[other], cells[one]
    return "\n".join(map(",".join, found))


def repeated(row: int, **cells: str) -> str:
    """Return the table with a row standing twice, the second time with other cells."""
    found = lines()
    copy = dict(zip(HEADER.split(","), found[row + 1].split(","), strict=True)) | cells
    found.insert(row + 2, ",".join(copy.values()))
    return "\n".join(found)


def moved(form: str, hours: int) -> str:
    """Return the table with its hours in October, in wall-clock time."""
    found = [HEADER]
    start = datetime(2022, 10, 29, 22)
    for i, values in enumerate(VALUES):
        found.append(
            ",".join([f"{start + timedelta(hours=i):{form}}", *map(repr, values)])
        )
    del found[hours:]
    return "\n".join(found)


WRONG = {
    "text in a cell": (changed(4, 4, "n/k"), ["line 6, column 'close'", "'n/k'"]),
    "a unit in a cell": (changed(4, 5, "12K"), ["line 6, column 'volume'", "'12K'"]),
    "an infinite price": (changed(2, 1, "inf"), ["line 4, column 'open'", "'inf'"]),
    "a price beyond all": (changed(2, 1, "1e999"), ["line 4, column 'open'", "finite"]),
    "a mark between thousands": (
        changed(7, 2, '"20,405.5"'), ["line 9", "'20,405.5'", "--thousands ','"]),
    "a decimal comma": (
        changed(0, 2, '"20405,5"'), ["line 2", "'20405,5'", "--decimal"]),
    "a price of 0": (changed(3, 3, "0"), ["line 5, column 'low'", "above 0", "low 0"]),
    "a price below 0": (changed(3, 1, "-1"), ["line 5, column 'open'"]),
    "a volume below 0": (changed(3, 5, "-1"), ["line 5, column 'volume'"]),
    "a high below the low": (changed(3, 2, "1"), ["line 5, column 'high'", "low"]),
    "high and low swapped": (swapped(2, 3), ["line 2", "such rows", "--column high"]),
    "open and high swapped": (swapped(1, 2), ["line 2", "such rows", "--column high"]),
    "close and volume swapped": (swapped(4, 5), ["line 2", "column 'low'"]),
    "an hour with two values": (
        repeated(5, volume="7"), ["line 8", "each time once", "line 7"]),
    "an hour out of order": (
        "\n".join([*lines()[:9], *lines()[10:], lines()[9]]), ["line 31", "ascending"]),
    "newest first": (
        "\n".join([HEADER, *lines()[:0:-1]]),
        ["line 3", "ascending", "--newest-first"]),
    "a line cut off": ("\n".join(lines())[:-25], ["line 31", "6 cells"]),
    "a cell too many": (changed(5, 5, "1,2"), ["line 7", "6 cells"]),
    "a time that is none": (changed(6, 0, "soon"), ["line 8, column 'date'", "'soon'"]),
    "no time in a cell": (changed(6, 0, ""), ["line 8, column 'date'"]),
    "a time of another form": (
        changed(6, 0, "2023-01-01"), ["line 8, column 'date'", "like the rows before"]),
    "a time to come": (
        changed(29, 0, "2031-01-02T05:00:00Z"), ["line 31", "before now"]),
    "a number that is no time": (
        "\n".join(["date,open,high,low,close,volume", "44927,1,1,1,1,1",
                   "44928,1,1,1,1,1"]), ["line 2", "'44927'", "--date-format"]),
    "hours as ten digits": (
        "\n".join(lines("%Y%m%d%H")), ["line 2", "'2023010100'", "--date-format"]),
    "digits that are two times": (
        "\n".join(lines("%Y%m%d%H%M")), ["'202301010000'", "--date-format"]),
    "days or months first": (
        "\n".join(lines("%d/%m/%Y %H:%M")[:10]), ["'01/01/2023 00:00'", "with a zone"]),
    "half past": ("\n".join(lines("%Y-%m-%dT%H:30:00Z")), ["full hour", "00:30"]),
    "a hidden byte": ("\n".join(lines()) + "\0", ["a byte of 0"]),
    "an open quote": (changed(3, 4, '"20'), ["line"]),
    "text of another encoding": (
        "\n".join(lines()).replace("volume", "Größe").encode("cp1252"),
        ["line 1", "utf-8", "--encoding"]),
    "one column": ("date\n1\n2\n", ["line 1", "--delimiter"]),
    "a header alone": (HEADER, []),
}  # fmt: skip


@pytest.mark.parametrize("name", [name for name in WRONG if name != "a header alone"])
def test_what_is_wrong_is_refused_with_its_cell(tmp_path, name):
    content, words = WRONG[name]
    said = refusal(tmp_path, content)
    for word in ["BTC_USDT-1h.csv", *words, "expected", "fix:"]:
        assert word in said


def test_the_hour_of_changed_clocks_is_refused(tmp_path):
    form, zone = "%Y-%m-%d %H:%M", "Europe/Berlin"
    said = refusal(tmp_path, moved(form, 30), timezone=zone)
    assert "'2022-10-30 02:00'" in said
    assert "occurs once in Europe/Berlin" in said
    assert len(read(tmp_path, moved(form, 5), timezone=zone)) == 4
    spring = f"{HEADER}\n2023-03-26 02:00,1,1,1,1,1\n2023-03-26 03:00,1,1,1,1,1\n"
    assert "that exists" in refusal(tmp_path, spring, timezone=zone)
    twice = f"{HEADER}\n2023-10-29 02:00,1,1,1,1,1\n2023-10-29 02:00,2,2,2,2,2\n"
    assert "column 'date'" in refusal(tmp_path, twice, timezone=zone)


def test_a_date_of_two_readings_is_refused_with_both(tmp_path):
    rows = [f"0{i}/0{i + 1}/2023,1,1,1,1,1" for i in range(1, 5)]
    said = refusal(tmp_path, "\n".join([HEADER, *rows]), series="TOTAL")
    assert "'%d/%m/%Y' (2023-02-01)" in said
    assert "'%m/%d/%Y' (2023-01-02)" in said


def test_numbers_whose_marks_may_stand_between_thousands_are_refused(tmp_path):
    rows = [f"2023-01-01T0{i}:00:00Z;1.10{i};1.10{i};1.10{i};1.10{i};1.200"
            for i in range(5)]  # fmt: skip
    content = "\n".join([HEADER.replace(",", ";"), *rows])
    said = refusal(tmp_path, content)
    assert "'1.100'" in said
    assert "1.1 or 1100" in said
    assert read(tmp_path, content, decimal=".")[1][1] == 1.101
    assert read(tmp_path, content, thousands=".")[1][1] == 1101.0


def test_bad_rows_are_left_out_when_asked_and_counted(tmp_path):
    path = tmp_path / "BTC_USDT-1h.csv"
    path.write_text(WRONG["a high below the low"][0])
    hints = Hints(is_complete=True, drops_bad_rows=True)
    (found,) = read_files(path, NOW, hints)
    assert found.bars.num_rows == len(BARS) - 1
    ((reason, n, example),) = found.left_out
    assert (reason, n, example[:16]) == (
        "prices that no market makes", 1, "2023-01-01 03:00",
    )  # fmt: skip


def test_the_same_row_again_and_rows_without_a_value_are_counted(tmp_path):
    path = tmp_path / "BTC_USDT-1h.csv"
    path.write_text(repeated(5))
    (found,) = read_files(path, NOW, Hints(is_complete=True))
    assert [part[:2] for part in found.left_out] == [("the same row again", 1)]
    path.write_text(changed(3, 5, "NaN"))
    (found,) = read_files(path, NOW, Hints(is_complete=True))
    assert [part[:2] for part in found.left_out] == [("no value in a cell", 1)]


ENCODINGS = (
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "utf-32",
    "cp1252",
)
FORMS = ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S+00:00", "%s", "ms", "µs", "ns")


@st.composite
def tables(draw) -> list[list[float]]:
    """Return rows of open, high, low, close, volume, in cents or finer, any size."""
    digits = draw(st.sampled_from([0, 2, 3, 8]))
    top = draw(st.sampled_from([10.0, 2_000.0, 3e6]))
    number = st.floats(0.001, top).map(lambda value: round(value, digits) or 1.0)
    rows = []
    for _ in range(draw(st.integers(2, 6))):
        low, one, other, high = sorted(draw(st.lists(number, min_size=4, max_size=4)))
        opened, closed = draw(st.permutations([one, other]))
        rows.append([opened, high, low, closed, draw(number)])
    return rows


def shown(value: float, decimal: str, thousands: str) -> str:
    """Return a number as a locale writes it."""
    text = f"{value:.8f}".rstrip("0").rstrip(".")
    whole, _, part = text.partition(".")
    if thousands:
        whole = re.sub(r"(?<=\d)(?=(\d{3})+$)", thousands, whole)
    return f"{whole}{decimal}{part}" if part else whole


def _time(form: str, hour: datetime) -> str:
    scale = {"%s": 1, "ms": 10**3, "µs": 10**6, "ns": 10**9}.get(form)
    return str(int(hour.timestamp()) * scale) if scale else f"{hour:{form}}"


@pytest.mark.slow
@given(
    table=tables(),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    marks=st.sampled_from([(".", ""), (",", ""), (".", ","), (",", "."), (".", " "),
                           (",", " "), (".", "'")]),
    encoding=st.sampled_from(ENCODINGS),
    form=st.sampled_from(FORMS),
    end=st.sampled_from(["\n", "\r\n"]),
    quotes=st.booleans(),
    mapped=st.booleans(),
    is_told=st.booleans(),
)  # fmt: skip
@settings(max_examples=120, deadline=None)
def test_a_random_dialect_is_read_back_or_refused(
    tmp_path_factory,
    table,
    delimiter,
    marks,
    encoding,
    form,
    end,
    quotes,
    mapped,
    is_told,
):
    hours = HOURS[: len(table)]
    rows = []
    for hour, values in zip(hours, table, strict=True):
        cells = [_time(form, hour), *(shown(value, *marks) for value in values)]
        must = quotes or delimiter in "".join(cells)
        rows.append(delimiter.join(f'"{cell}"' if must else cell for cell in cells))
    content = end.join([HEADER.replace(",", delimiter), *rows]) + end
    hints = {"format": "csv", "symbol": "BTC"} if mapped else {}
    if is_told:
        hints |= {"decimal": marks[0], "thousands": marks[1] or None}
    folder = tmp_path_factory.mktemp("dialect")
    wanted = [
        (hour, *(float(shown(value, ".", "")) for value in values))
        for hour, values in zip(hours, table, strict=True)
    ]
    found = read_or_refused(folder, content.encode(encoding), **hints)
    assert found == wanted or (found is None and not is_told), "what is told is read"


@given(st.binary(max_size=300) | st.text('0123456789.,;-:TZ\n\t"e ', max_size=200))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_read_or_refused_in_words(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("bytes")
    for hints in ({}, {"format": "csv", "symbol": "X", "columns": {"ts": "column 1"}}):
        read_or_refused(folder, content, **hints)
