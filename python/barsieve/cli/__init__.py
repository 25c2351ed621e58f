"""The command line; this page is its table of contents."""

from typing import Annotated

import typer

from barsieve import __version__
from barsieve.cli.bench import bench
from barsieve.cli.inputs import check, demo
from barsieve.cli.peers import bench_peers
from barsieve.cli.regime import regime
from barsieve.cli.results import replay, show

app = typer.Typer(
    help="A trading-research engine that proves its backtests.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for command in (check, demo, show, replay, regime, bench, bench_peers):
    app.command()(command)


def _version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"barsieve {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """A trading-research engine that proves its backtests."""
