"""The command line; this page is its table of contents."""

from typing import Annotated, Any

import typer

from barsieve import __version__
from barsieve.cli.advance import advance
from barsieve.cli.answers import explain, signal
from barsieve.cli.bench import bench
from barsieve.cli.build import build, export
from barsieve.cli.compare import compare
from barsieve.cli.config import config
from barsieve.cli.ingest import app as ingest
from barsieve.cli.init import init
from barsieve.cli.inputs import check, demo
from barsieve.cli.learned import exits, sizing
from barsieve.cli.optimize import optimize, walk_forward
from barsieve.cli.output import refusing
from barsieve.cli.paper import app as paper
from barsieve.cli.peers import bench_peers
from barsieve.cli.prove import prove
from barsieve.cli.regime import regime
from barsieve.cli.replay import candidates, replay
from barsieve.cli.report import report
from barsieve.cli.results import show
from barsieve.cli.score import score
from barsieve.cli.sweep import sweep
from barsieve.cli.variants import stress, thresholds
from barsieve.database.refusals import told_in_words


class _Commands(typer.core.TyperGroup):
    """All commands; whatever one meets in a database ends in a sentence."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; a fault over tables of other code is told as that."""
        with refusing(), told_in_words():
            return super().invoke(ctx)


app = typer.Typer(
    cls=_Commands,
    help="A trading-research engine that proves its backtests.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

# What we do not know of the options of build is dbt's.
PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}

app.add_typer(ingest, name="ingest")
app.add_typer(config, name="config")
app.add_typer(paper, name="paper")
app.command()(init)
app.command()(check)
app.command()(demo)
app.command(context_settings=PASS_ON)(build)
app.command()(advance)
for command in (
    show, prove, score, replay, candidates, compare, thresholds, stress, signal,
    explain, regime, sweep, optimize, walk_forward, exits, sizing, report, export,
    bench, bench_peers,
):  # fmt: skip
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
