"""`barsieve ingest`: from exchanges, statistics offices and files into a market."""

import typer

from barsieve.cli.ingest.exchanges import funding, ohlcv, open_interest
from barsieve.cli.ingest.files import files
from barsieve.cli.ingest.macro import coingecko, fred, yahoo

app = typer.Typer(
    help="Bring bars, funding rates and macro series into a market folder.",
    no_args_is_help=True,
)

for command in (ohlcv, funding, open_interest, fred, yahoo, coingecko, files):
    app.command()(command)
