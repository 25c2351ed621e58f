"""What the tests of ingests share: the command in this process, markets, checks."""

import json
from dataclasses import dataclass
from pathlib import Path

import duckdb
from typer.testing import CliRunner

from barsieve.cli import app
from barsieve.market.check import check_market
from conftest import PROJECT
from sources import Source

SEED = PROJECT / "seeds" / "macro_series.csv"


@dataclass
class Done:
    """How a command ended, and what it printed as JSON."""

    code: int
    stdout: str
    stderr: str

    def target(self, name: str) -> dict:
        """Return the summary of a target."""
        found = json.loads(self.stdout)["targets"]
        return next(entry for entry in found if entry["target"] == name)


def ingest(*arguments: str | Path) -> Done:
    """Run `barsieve ingest` in this process, with JSON as its output."""
    done = CliRunner().invoke(app, ["ingest", *map(str, arguments)])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Done(done.exit_code, done.stdout, done.stderr)


def from_exchange(command: str, source: Source, market: Path, *more: str) -> Done:
    """Run an exchange's command against the local server, without long waits."""
    options = market.parent / "ccxt.json"
    options.write_text(json.dumps(source.options()))
    return ingest(
        command, "--symbols", "BTC", "--to", market, "--exchange-options", options,
        "--wait", "0.001", "--timeout", "0.4", "--json", *more,
    )  # fmt: skip


def rows(path: Path, order: str = "1") -> list[tuple]:
    """Return the rows of a Parquet file."""
    with duckdb.connect() as session:
        session.execute("set timezone = 'UTC'")
        return session.execute(f"from '{path}' order by {order}").fetchall()


def assert_sound(market: Path) -> None:
    """Assert that the market passes the checks that every build makes first."""
    assert check_market(market, SEED)[1] == []
