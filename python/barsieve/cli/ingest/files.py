"""`barsieve ingest files`: exports, with the mapping shown."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from barsieve.cli.ingest.options import Accept, AcceptOrigin, ExportFormat, To
from barsieve.cli.ingest.run import Job, folder_of, reporting, run
from barsieve.cli.ingest.summary import moment
from barsieve.cli.output import AsJson, out, print_json, table


def files(
    paths: Annotated[list[Path], typer.Argument(help="Exported files.")],
    to: To = None,
    format: Annotated[
        ExportFormat | None, typer.Option(help="Decide where several would fit.")
    ] = None,
    symbol: Annotated[str | None, typer.Option(help="Symbol of all files.")] = None,
    series: Annotated[
        str | None, typer.Option(help="Macro series of daily files, such as TOTAL.")
    ] = None,
    column: Annotated[
        list[str] | None, typer.Option(help="ROLE=NAME, as volume='Volume BTC'.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the mapping; write nothing.")
    ] = False,
    accept_revisions: Accept = False,
    accept_origin: AcceptOrigin = False,
    as_json: AsJson = False,
) -> None:
    """Take bars from files: TradingView, Binance, CryptoDataDownload, freqtrade.

    The format is told by the columns, and the mapping is shown. What would have to be
    guessed is refused, with the candidates.

    Example: barsieve ingest files BTCUSDT-1h-2024-*.zip --dry-run
    """
    with reporting():
        from barsieve.ingest.files import read_bars
        from barsieve.ingest.request import Request

        wanted = _wanted(column or [])
        if symbol is not None and series is not None:
            raise typer.BadParameter("--symbol or --series, not both")
        now = datetime.now(UTC)
        folder_of(to)  # the same answer with and without --dry-run
        readings = [
            read_bars(path, now, format and format.value, symbol, series, wanted)
            for path in paths
        ]
        mappings = {"files": [_mapping(reading) for reading in readings]}
        if not as_json:
            _print_mapping(readings)
        if dry_run:
            if as_json:
                print_json(mappings)
            return
        request = Request(
            now, accept_revisions=accept_revisions, accept_origin=accept_origin
        )
        jobs = _file_jobs(readings, series)
        run(to, "files", request, jobs, as_json, mappings)


def _wanted(texts: list[str]) -> dict[str, str]:
    """Return the column named for each role."""
    from barsieve.ingest.formats import ROLES

    wanted = dict(text.partition("=")[::2] for text in texts)
    if not all(role in ROLES and name for role, name in wanted.items()):
        raise typer.BadParameter(
            f"--column {', '.join(texts)}: expected ROLE=NAME, a role of "
            f"{', '.join(ROLES)}"
        )
    return wanted


def _file_jobs(readings: list, series: str | None) -> dict[str, Job]:
    from barsieve.ingest.files import ingest_readings

    kind = "macro" if series else "bars"
    jobs: dict[str, Job] = {}
    for target in dict.fromkeys(reading.target for reading in readings):
        of_target = [reading for reading in readings if reading.target == target]

        def job(market, request, outcome, of_target=of_target) -> None:
            ingest_readings(of_target, bool(series), market, request, outcome)

        jobs[f"{kind}/{target}"] = job
    return jobs


def _mapping(reading: Any) -> dict[str, Any]:
    stamps = reading.bars["ts"]
    return {
        "file": str(reading.path),
        "format": reading.format,
        "target": reading.target,
        "target_from": reading.target_from,
        "columns": reading.columns,
        "rows": len(reading.bars),
        "left_out": reading.left_out,
        "first": stamps[0].as_py() if len(stamps) else None,
        "last": stamps[-1].as_py() if len(stamps) else None,
    }


def _print_mapping(readings: list) -> None:
    rows = []
    for reading in readings:
        mapping = _mapping(reading)
        columns = ", ".join(f"{r} = {c}" for r, c in reading.columns.items())
        rows.append(
            [
                reading.path.name, reading.format,
                f"{reading.target} ({reading.target_from})", columns,
                f"{mapping['rows']:,}", moment(mapping["first"]),
                moment(mapping["last"]),
            ]
        )  # fmt: skip
    shown = table(
        "how the files are read",
        ["file", "format", "target", "mapping", "rows", "first", "last"],
        rows,
    )
    for text_column in shown.columns[:4]:
        # Names of files and columns may be long, and each of them counts.
        text_column.no_wrap, text_column.overflow = False, "fold"
    out.print(shown)
