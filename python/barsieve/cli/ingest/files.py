"""`barsieve ingest files`: exports, with the mapping shown."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from barsieve.cli.ingest.options import Accept, AcceptOrigin, ExportFormat, To
from barsieve.cli.ingest.readings import mapping_of, print_mappings
from barsieve.cli.ingest.run import Job, folder_of, reporting, run
from barsieve.cli.output import AsJson, print_json

MARKS = {
    "tab": "\t", "\\t": "\t", "semicolon": ";", "comma": ",", "space": " ",
    "bar": "|", "point": ".", "apostrophe": "'",
}  # fmt: skip


def _help(help: str) -> Any:
    return typer.Option(help=help)


def files(
    paths: Annotated[list[Path], typer.Argument(help="Exported files.")],
    to: To = None,
    format: Annotated[
        ExportFormat | None,
        typer.Option(help="Decide where several would fit; csv: mapped by hand."),
    ] = None,
    symbol: Annotated[str | None, _help("Symbol of all files.")] = None,
    series: Annotated[
        str | None, _help("Macro series of daily files, such as TOTAL.")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(help="ROLE=NAME, as volume='Volume BTC' or ts='column 1'."),
    ] = None,
    delimiter: Annotated[
        str | None, _help("What stands between cells: ';', tab, …")
    ] = None,
    decimal: Annotated[str | None, _help("The decimal mark: '.' or ','.")] = None,
    thousands: Annotated[
        str | None, _help("The mark between thousands: ',', '.', space, …")
    ] = None,
    encoding: Annotated[
        str | None, _help("Encoding of the text, such as cp1252.")
    ] = None,
    timezone: Annotated[
        str | None, _help("Zone of times that state none, such as UTC.")
    ] = None,
    date_format: Annotated[
        str | None, _help("How times are written: '%d/%m/%Y %H:%M'.")
    ] = None,
    venue: Annotated[
        str | None, _help("Where the prices were made, such as coinbase.")
    ] = None,
    quote: Annotated[str | None, _help("Currency of the prices, such as USDT.")] = None,
    contract: Annotated[str | None, _help("spot, perpetual or future.")] = None,
    price: Annotated[str | None, _help("trade, mark or index.")] = None,
    complete: Annotated[
        bool, typer.Option("--complete", help="The last row is a finished bar.")
    ] = False,
    newest_first: Annotated[
        bool, typer.Option("--newest-first", help="The rows run backwards.")
    ] = False,
    resample: Annotated[
        bool, typer.Option("--resample", help="Make hours of shorter bars.")
    ] = False,
    drop_bad_rows: Annotated[
        bool,
        typer.Option("--drop-bad-rows", help="Leave out prices no market makes."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the reading; write nothing.")
    ] = False,
    accept_revisions: Accept = False,
    accept_origin: AcceptOrigin = False,
    as_json: AsJson = False,
) -> None:
    """Take bars or days from files, of ten vendors' formats or mapped by hand.

    The format is told by the columns, and what was understood is shown. What would have
    to be guessed is refused, with the candidates.

    Example: barsieve ingest files BTCUSDT-1h-2024-*.zip --dry-run
    """
    with reporting():
        from barsieve.ingest.files import refuse_what_cannot_be_stored
        from barsieve.ingest.hints import Hints
        from barsieve.ingest.readings import read_files
        from barsieve.ingest.request import Request

        if symbol is not None and series is not None:
            raise typer.BadParameter("--symbol or --series, not both")
        hints = Hints(
            format and format.value, symbol, series, _wanted(column or []),
            _mark("--delimiter", delimiter), _mark("--decimal", decimal),
            _mark("--thousands", thousands), encoding, timezone, date_format,
            _origin(venue, quote, contract, price), complete, newest_first, resample,
            drop_bad_rows,
        )  # fmt: skip
        _refuse_same_marks(hints)
        now = datetime.now(UTC)
        folder_of(to)  # the same answer with and without --dry-run
        readings = [r for path in paths for r in read_files(path, now, hints)]
        mappings = {"files": [mapping_of(reading) for reading in readings]}
        if not as_json:
            print_mappings(readings)
        if dry_run:
            if as_json:
                print_json(mappings)
            for of_target in _by_target(readings).values():
                refuse_what_cannot_be_stored(of_target)
            return
        request = Request(
            now, accept_revisions=accept_revisions, accept_origin=accept_origin
        )
        run(to, "files", request, _file_jobs(readings), as_json, mappings)


def _wanted(texts: list[str]) -> dict[str, str]:
    """Return the column named for each role."""
    from barsieve.ingest.formats import EXTRA_ROLES, ROLES

    wanted = dict(text.partition("=")[::2] for text in texts)
    if not all(role in ROLES + EXTRA_ROLES and name for role, name in wanted.items()):
        raise typer.BadParameter(
            f"--column {', '.join(texts)}: expected ROLE=NAME, a role of "
            f"{', '.join(ROLES + EXTRA_ROLES)}"
        )
    return wanted


def _mark(option: str, text: str | None) -> str | None:
    """Return the one character that an option names, or None."""
    if text is None:
        return None
    mark = MARKS.get(text.lower(), text)
    if len(mark) != 1 or mark.isalnum() or mark in '"\r\n':
        raise typer.BadParameter(f"{option} {text!r}: expected one character")
    return mark


def _refuse_same_marks(hints: Any) -> None:
    if hints.decimal not in (None, ".", ","):
        raise typer.BadParameter(f"--decimal {hints.decimal!r}: expected '.' or ','")
    if hints.decimal is not None and hints.decimal == hints.thousands:
        raise typer.BadParameter("--decimal and --thousands name the same mark")


def _origin(
    venue: str | None, quote: str | None, contract: str | None, price: str | None
) -> Any:
    """Return what the user states of the origin."""
    from barsieve.ingest.origin import Origin

    kinds = {
        "--contract": (contract, ("spot", "perpetual", "future")),
        "--price": (price, ("trade", "mark", "index")),
    }
    for option, (text, known) in kinds.items():
        if text is not None and text.lower() not in known:
            raise typer.BadParameter(f"{option} {text}: expected {', '.join(known)}")
    return Origin(
        (venue or "").lower(), (quote or "").upper(), (contract or "").lower(),
        (price or "").lower(),
    )  # fmt: skip


def _by_target(readings: list) -> dict[str, list]:
    """Return the readings of each target: a symbol's bars, or a series."""
    found: dict[str, list] = {}
    for reading in readings:
        kind = "macro" if reading.is_series else "bars"
        found.setdefault(f"{kind}/{reading.target}", []).append(reading)
    return found


def _file_jobs(readings: list) -> dict[str, Job]:
    from barsieve.ingest.files import ingest_readings

    jobs: dict[str, Job] = {}
    for target, of_target in _by_target(readings).items():

        def job(market, request, outcome, of_target=of_target) -> None:
            ingest_readings(of_target, market, request, outcome)

        jobs[target] = job
    return jobs
