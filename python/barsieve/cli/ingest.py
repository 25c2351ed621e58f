"""`barsieve ingest`: from exchanges, statistics offices and files into a market."""

import json
import os
from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from barsieve import project
from barsieve.cli.output import REFUSED, AsJson, err, fail, out, print_json
from barsieve.cli.output import table as text_table
from barsieve.problems import InputError, Problem

# A source that did not answer: what was written stays, a later run goes on.
SOURCE_FAILED = 3
SHOWN_REVISIONS = 20

app = typer.Typer(
    help="Bring bars, funding rates and macro series into a market folder.",
    no_args_is_help=True,
)

To = Annotated[
    Path | None, typer.Option(help="Market folder (default: BARSIEVE_MARKET).")
]
Since = Annotated[
    datetime, typer.Option(formats=["%Y-%m-%d"], help="First day of a new history.")
]
Until = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d"], help="Stop before this day (default: now)."),
]
Accept = Annotated[
    bool,
    typer.Option("--accept-revisions", help="Take past values that have changed."),
]
Recheck = Annotated[
    bool, typer.Option("--recheck", help="Compare the whole history, fill its gaps.")
]
Symbols = Annotated[str, typer.Option(help="Comma-joined: BTC, or a market of ccxt.")]
ExchangeName = Annotated[str, typer.Option("--exchange", help="Its id in ccxt.")]
ExchangeOptions = Annotated[
    Path | None,
    typer.Option(help="JSON file of ccxt settings: proxies, urls, API key."),
]
Rows = Annotated[int, typer.Option(min=2, help="Rows to ask for in one page.")]
Pages = Annotated[int, typer.Option(min=1, help="Pages between two writes.")]
Tries = Annotated[int, typer.Option(min=1, help="Times to ask before giving up.")]
Wait = Annotated[
    float, typer.Option(min=0, help="Seconds before the second try; doubles.")
]
Timeout = Annotated[float, typer.Option(min=0.01, help="Seconds for one answer.")]
BaseUrl = Annotated[
    str | None, typer.Option(help="Address of a mirror in the place of the source.")
]
START = datetime(2017, 1, 1)


def _utc(day: datetime | None) -> datetime | None:
    return day and day.replace(tzinfo=UTC)


def _folder(to: Path | None) -> Path:
    return to or project.project_dir() / project.market_dir()


def _seed() -> Path:
    return project.project_dir() / "seeds" / "macro_series.csv"


@contextmanager
def _reporting():
    """Turn faults of input, source and installation into one message and a code."""
    from barsieve.ingest.patience import MissingExtraError, SourceError

    try:
        yield
    except InputError as error:
        raise fail("\n".join(str(p) for p in error.problems), REFUSED) from None
    except (FileNotFoundError, MissingExtraError) as error:
        raise fail(str(error)) from None
    except SourceError as error:
        raise fail(str(error), SOURCE_FAILED) from None
    except OSError as error:
        raise fail(f"{error.filename or ''}: {error.strerror or error}") from None


def _split(text: str) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def _read_options(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        options = json.loads(path.read_text())
        if not isinstance(options, dict):
            raise ValueError("no object")
    except (OSError, ValueError) as error:
        raise InputError(
            [
                Problem(
                    str(path), "", "a JSON object of ccxt settings", str(error),
                    'such as {"httpsProxy": "http://localhost:8080"}',
                )
            ]
        ) from None  # fmt: skip
    return options


Job = Callable[[Any, Any, Any], None]


def _run(
    to: Path | None, source: str, request: Any, jobs: dict[str, Job], as_json: bool
) -> None:
    """Carry out the jobs of a command, one target after another; print the summary.

    A job gets the market, the request and the outcome to count into. A source that
    fails ends its own target only.
    """
    from dataclasses import replace

    from rich.progress import Progress, TimeRemainingColumn

    from barsieve.ingest.market import open_market
    from barsieve.ingest.patience import SourceError
    from barsieve.ingest.summary import Outcome

    outcomes, code = [], 0
    bars = Progress(
        *Progress.get_default_columns()[:3], TimeRemainingColumn(), console=err,
        disable=not err.is_terminal, transient=True,
    )  # fmt: skip
    with open_market(_folder(to), _seed()) as market, bars:
        for target, job in jobs.items():
            outcome = Outcome(target, source)
            outcomes.append(outcome)
            task = bars.add_task(target, total=1.0)

            def progress(share: float, task=task) -> None:
                bars.update(task, completed=share)

            try:
                job(market, replace(request, progress=progress), outcome)
            except SourceError as error:
                outcome.failure, code = str(error), max(code, SOURCE_FAILED)
            except InputError as error:
                outcome.failure = "\n".join(str(p) for p in error.problems)
                code = max(code, REFUSED)
        has_bars = any((market.folder / "bars").glob("*.parquet"))
    _print(_folder(to), outcomes, has_bars, as_json)
    if code:
        raise typer.Exit(code)


def _print(folder: Path, outcomes: list, has_bars: bool, as_json: bool) -> None:
    from dataclasses import asdict

    if as_json:
        targets = [asdict(outcome) for outcome in outcomes]
        for entry in targets:
            entry["revisions"] = [r._asdict() for r in entry["revisions"]]
        print_json({"market": str(folder), "targets": targets})
    else:
        columns = [
            "profile", "source", "new", "checked", "revised", "refused", "gaps",
            "missing", "first", "last",
        ]  # fmt: skip
        rows = [_line(outcome) for outcome in outcomes]
        shown = text_table(f"ingested into {folder}", columns, rows)
        shown.columns[0].header = "target"
        out.print(shown)
        _print_revisions([r for outcome in outcomes for r in outcome.revisions])
    _say_what_is_wrong(folder, outcomes, has_bars)


def _line(outcome: Any) -> list[str]:
    return [
        outcome.target, outcome.source, f"{outcome.rows_new:,}",
        f"{outcome.rows_checked:,}",
        f"{len({r.key for r in outcome.revisions}):,}", f"{outcome.rows_refused:,}",
        f"{outcome.gaps:,}", f"{outcome.missing:,}", _moment(outcome.first),
        _moment(outcome.last),
    ]  # fmt: skip


def _moment(time: Any) -> str:
    if time is None:
        return "-"
    return f"{time:%Y-%m-%d %H:%M}" if isinstance(time, datetime) else f"{time}"


def _print_revisions(revisions: list) -> None:
    if not revisions:
        return
    rows = [[r.target, r.key, r.column, r.stored, r.offered] for r in revisions]
    taken = "taken" if revisions[0].taken else "kept as stored"
    shown = text_table(
        f"revisions, {taken}",
        ["profile", "row", "column", "stored", "now"],
        rows[:SHOWN_REVISIONS],
    )
    shown.columns[0].header = "target"
    out.print(shown)
    if len(rows) > SHOWN_REVISIONS:
        out.print(f"... and {len(rows) - SHOWN_REVISIONS} more (--json lists all)")


def _say_what_is_wrong(folder: Path, outcomes: list, has_bars: bool) -> None:
    """Print to standard error what a user must not miss."""
    for outcome in outcomes:
        said = [f"refused {text}" for text in outcome.refused] + outcome.notes
        if outcome.failure:
            said.append(f"stopped: {outcome.failure}")
        for text in said:
            line = f"{outcome.target}: {text}"
            err.print(line, markup=False, highlight=False, soft_wrap=True)
    revisions = [r for outcome in outcomes for r in outcome.revisions]
    if revisions and not revisions[0].taken:
        err.print(
            "past values have changed at the source; --accept-revisions takes them",
            highlight=False,
        )
    if not has_bars:
        err.print(f"{folder} holds no bars yet: barsieve ingest ohlcv", highlight=False)


def _request(
    since: datetime, until: datetime | None, accept: bool, recheck: bool, **more: Any
) -> Any:
    from barsieve.ingest.exchanges import Request

    now = datetime.now(UTC)
    return Request(now, _utc(since) or now, _utc(until), accept, recheck, **more)


def _patience(tries: int, wait: float, timeout: float) -> Any:
    from barsieve.ingest.patience import Patience

    return Patience(tries, wait, max(60.0, wait), timeout)


def _ingest_exchange(
    to, exchange, options, symbols, request, patience, feed_of, label, as_json
) -> None:
    from barsieve.ingest.exchanges import Exchange, ingest_feed

    client = Exchange(exchange, patience, _read_options(options))

    def job_of(symbol: str) -> Job:
        def job(market, request, outcome) -> None:
            feed = feed_of(client, symbol, market)
            outcome.target = f"{feed.kind.folder}/{feed.name}"
            ingest_feed(client, feed, market, request, outcome)

        return job

    jobs = {f"{label}/{symbol}": job_of(symbol) for symbol in _split(symbols)}
    _run(to, exchange, request, jobs, as_json)


@app.command()
def ohlcv(
    symbols: Symbols = "BTC,ETH",
    exchange: ExchangeName = "binance",
    quote: Annotated[str, typer.Option(help="Currency of the price.")] = "USDT",
    to: To = None,
    since: Since = START,
    until: Until = None,
    accept_revisions: Accept = False,
    recheck: Recheck = False,
    exchange_options: ExchangeOptions = None,
    page_rows: Rows = 1000,
    pages_per_write: Pages = 10,
    tries: Tries = 6,
    wait: Wait = 1.0,
    timeout: Timeout = 30.0,
    as_json: AsJson = False,
) -> None:
    """Fetch hourly bars from an exchange; only closed ones are kept.

    Goes on where the last run stopped, and back to --since where the history starts
    later. Past bars that have changed are reported and kept as they are.

    Example: barsieve ingest ohlcv --symbols BTC,ETH --since 2020-01-01 --to ~/market
    """
    with _reporting():
        from barsieve.ingest.exchanges import bars_feed

        _ingest_exchange(
            to, exchange, exchange_options, symbols,
            _request(since, until, accept_revisions, recheck, rows=page_rows,
                     pages=pages_per_write),
            _patience(tries, wait, timeout),
            lambda client, symbol, market: bars_feed(client, symbol, quote),
            "bars", as_json,
        )  # fmt: skip


@app.command()
def funding(
    symbols: Symbols = "BTC,ETH",
    exchange: ExchangeName = "binance",
    quote: Annotated[str, typer.Option(help="Currency of the margin.")] = "USDT",
    to: To = None,
    since: Since = START,
    until: Until = None,
    accept_revisions: Accept = False,
    recheck: Recheck = False,
    exchange_options: ExchangeOptions = None,
    page_rows: Rows = 1000,
    pages_per_write: Pages = 10,
    tries: Tries = 6,
    wait: Wait = 1.0,
    timeout: Timeout = 30.0,
    as_json: AsJson = False,
) -> None:
    """Fetch the funding rates of perpetuals: fractions per 8 h, at settlement.

    Example: barsieve ingest funding --symbols BTC,ETH --to ~/market
    """
    with _reporting():
        from barsieve.ingest.exchanges import funding_feed

        _ingest_exchange(
            to, exchange, exchange_options, symbols,
            _request(since, until, accept_revisions, recheck, rows=page_rows,
                     pages=pages_per_write),
            _patience(tries, wait, timeout),
            lambda client, symbol, market: funding_feed(client, symbol, quote),
            "funding", as_json,
        )  # fmt: skip


@app.command("open-interest")
def open_interest(
    symbols: Symbols = "BTC,ETH",
    exchange: ExchangeName = "binance",
    to: To = None,
    accept_revisions: Accept = False,
    exchange_options: ExchangeOptions = None,
    tries: Tries = 6,
    wait: Wait = 1.0,
    timeout: Timeout = 30.0,
    as_json: AsJson = False,
) -> None:
    """Fetch daily open interest of coin-margined perpetuals, in USD.

    Exchanges hand out about the last month: run it at least monthly.

    Example: barsieve ingest open-interest --symbols BTC --to ~/market
    """
    with _reporting():
        from barsieve.ingest.exchanges import open_interest_feed

        _ingest_exchange(
            to, exchange, exchange_options, symbols,
            _request(START, None, accept_revisions, False),
            _patience(tries, wait, timeout), open_interest_feed, "macro", as_json,
        )  # fmt: skip


def _named(texts: list[str], known: dict[str, str]) -> dict[str, str]:
    """Return the series of each `ID` or `ID=SERIES`."""
    pairs = [text.partition("=") for text in texts]
    return {key: name or known.get(key, key) for key, _, name in pairs}


@app.command()
def fred(
    series: Annotated[
        str, typer.Option(help="FRED ids, comma-joined; ID=NAME stores it as NAME.")
    ] = "VIXCLS,DGS2,DGS10,DTWEXBGS,DCOILWTICO",
    to: To = None,
    since: Since = START,
    until: Until = None,
    accept_revisions: Accept = False,
    recheck: Recheck = False,
    base_url: BaseUrl = None,
    tries: Tries = 6,
    wait: Wait = 1.0,
    timeout: Timeout = 30.0,
    as_json: AsJson = False,
) -> None:
    """Fetch daily series of FRED; with FRED_API_KEY set, every vintage of ALFRED.

    Without a key a value is known at its day plus the publication lag of
    seeds/macro_series.csv, on the next US business day; with one, when its vintage
    was published.

    Example: barsieve ingest fred --series DGS2,DGS10 --to ~/market
    """
    with _reporting():
        from barsieve.ingest.fred import SERIES, ingest_fred

        patience = _patience(tries, wait, timeout)
        key = os.environ.get("FRED_API_KEY") or None

        def job_of(identifier: str, name: str) -> Job:
            return lambda market, request, outcome: ingest_fred(
                identifier, name, market, request, patience, outcome, key, base_url
            )

        named = _named(_split(series), SERIES)
        jobs = {f"macro/{name}": job_of(key, name) for key, name in named.items()}
        request = _request(since, until, accept_revisions, recheck)
        _run(to, "alfred" if key else "fred", request, jobs, as_json)


@app.command()
def yahoo(
    tickers: Annotated[
        str, typer.Option(help="Comma-joined; TICKER=NAME stores it as NAME.")
    ] = "^MOVE,DX-Y.NYB,^VIX",
    to: To = None,
    since: Since = START,
    until: Until = None,
    accept_revisions: Accept = False,
    recheck: Recheck = False,
    tries: Tries = 6,
    wait: Wait = 1.0,
    timeout: Timeout = 30.0,
    as_json: AsJson = False,
) -> None:
    """Fetch daily closes from Yahoo: ^MOVE, DX-Y.NYB (the ICE dollar index), ^VIX.

    Example: barsieve ingest yahoo --tickers ^MOVE,DX-Y.NYB --to ~/market
    """
    with _reporting():
        from barsieve.ingest.yahoo import SERIES, ingest_yahoo

        patience = _patience(tries, wait, timeout)

        def job_of(ticker: str, name: str) -> Job:
            return lambda market, request, outcome: ingest_yahoo(
                ticker, name, market, request, patience, outcome
            )

        named = _named(_split(tickers), SERIES)
        jobs = {f"macro/{name}": job_of(key, name) for key, name in named.items()}
        request = _request(since, until, accept_revisions, recheck)
        _run(to, "yahoo", request, jobs, as_json)


@app.command()
def coingecko(
    to: To = None,
    base_url: BaseUrl = None,
    tries: Tries = 6,
    wait: Wait = 1.0,
    timeout: Timeout = 30.0,
    as_json: AsJson = False,
) -> None:
    """Append today's TOTAL, BTC.D and USDT.D: the public API knows the moment only.

    For their history, `barsieve ingest files --series` takes exports of TradingView.
    COINGECKO_API_KEY may hold a (free) demo key.

    Example: barsieve ingest coingecko --to ~/market
    """
    with _reporting():
        from barsieve.ingest.coingecko import SERIES, ingest_coingecko, take_snapshot

        key = os.environ.get("COINGECKO_API_KEY") or None
        patience = _patience(tries, wait, timeout)
        snapshot = take_snapshot(patience, base_url, key)

        def job_of(name: str) -> Job:
            return lambda market, request, outcome: ingest_coingecko(
                name, snapshot, market, request, outcome
            )

        jobs = {f"macro/{name}": job_of(name) for name in SERIES}
        _run(to, "coingecko", _request(START, None, False, False), jobs, as_json)


class Format(StrEnum):
    """Formats of exported files."""

    binance_vision = "binance-vision"
    cryptodatadownload = "cryptodatadownload"
    freqtrade = "freqtrade"
    tradingview = "tradingview"


@app.command()
def files(
    paths: Annotated[list[Path], typer.Argument(help="Exported files.")],
    to: To = None,
    format: Annotated[
        Format | None, typer.Option(help="Decide where several would fit.")
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
    as_json: AsJson = False,
) -> None:
    """Take bars from files: TradingView, Binance, CryptoDataDownload, freqtrade.

    The format is told by the columns, and the mapping is shown. What would have to be
    guessed is refused, with the candidates.

    Example: barsieve ingest files BTCUSDT-1h-2024-*.zip --dry-run
    """
    with _reporting():
        from barsieve.ingest.files import read_bars

        wanted = dict(text.partition("=")[::2] for text in column or [])
        now = datetime.now(UTC)
        readings = [
            read_bars(path, now, format and format.value, symbol, series, wanted)
            for path in paths
        ]
        if not as_json:
            _print_mapping(readings)
        if dry_run:
            if as_json:
                print_json({"files": [_mapping(reading) for reading in readings]})
            return
        _run(
            to, "files", _request(START, None, accept_revisions, False),
            _file_jobs(readings, series), as_json,
        )  # fmt: skip


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
                f"{mapping['rows']:,}", _moment(mapping["first"]),
                _moment(mapping["last"]),
            ]
        )  # fmt: skip
    shown = text_table(
        "how the files are read",
        ["profile", "format", "target", "mapping", "rows", "first", "last"],
        rows,
    )
    shown.columns[0].header = "file"
    for text_column in shown.columns[:4]:
        text_column.justify, text_column.no_wrap = "left", False
    out.print(shown)
