"""`barsieve paper`: accounts that trade on paper, hour by hour."""

import typer

from barsieve.cli.paper.opening import open_
from barsieve.cli.paper.running import run, stop
from barsieve.cli.paper.serving import serve
from barsieve.cli.paper.status import status

app = typer.Typer(
    help="Trade on paper: accounts that follow the market hour by hour.",
    no_args_is_help=True,
)

app.command("open")(open_)
for command in (run, status, stop, serve):
    app.command()(command)
