"""Options that the commands of `barsieve ingest` share."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

To = Annotated[
    Path | None, typer.Option(help="Market folder (default: BARSIEVE_MARKET).")
]
Since = Annotated[
    datetime | None,
    typer.Option(
        formats=["%Y-%m-%d"],
        help="First day (default: what is stored; of a new history 2017-01-01).",
    ),
]
Until = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d"], help="Stop before this day (default: now)."),
]
Accept = Annotated[
    bool,
    typer.Option("--accept-revisions", help="Take past values that have changed."),
]
AcceptOrigin = Annotated[
    bool,
    typer.Option("--accept-origin", help="Take another origin for the same series."),
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


class ExportFormat(StrEnum):
    """Formats of exported files; `csv` is any delimited text, mapped by hand."""

    binance_vision = "binance-vision"
    coinbase = "coinbase"
    cryptodatadownload = "cryptodatadownload"
    csv = "csv"
    fred = "fred"
    freqtrade = "freqtrade"
    kraken = "kraken"
    metatrader = "metatrader"
    stooq = "stooq"
    tradingview = "tradingview"
    yahoo = "yahoo"
