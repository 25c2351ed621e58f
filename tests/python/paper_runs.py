"""A project that trades on paper: its build, hours with faults, its state."""

import json
import os
import shutil
from collections.abc import Callable
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from barsieve.core.model_lists import model_lists
from barsieve.live.accounts import open_account
from barsieve.live.daily import Daily
from barsieve.live.folder import LiveFolder
from barsieve.live.hour import Paper, Settings
from barsieve.live.journal import Journal
from barsieve.live.messages import Ways
from barsieve.live.reading import Venue
from builds import PROJECT, run_dbt, without_locations
from paper_cases import ASKING, HOUR, PATIENCE, SEED, cut_market
from paper_venue import PaperVenue, SimulatedClock

OPEN = {"alignment_required": False, "atr_rank_floor": 0.0, "atr_rank_cap": 1.0}
# One that trades often, and two symbols with one wallet.
PROFILES = {
    "lively": {
        "extends": "demo_edge",
        "entry": OPEN | {"entry_threshold": 0.53},
        "exits": {"stop_atr": 3.0, "time_stop_bars": 12, "partial_at_r": 1.0},
    },
    "together": {
        "extends": "demo_edge",
        "symbols": ["*"],
        "entry": OPEN | {"entry_threshold": 0.54},
        "exits": {"stop_atr": 2.0, "time_stop_bars": 8},
        "wallet": {"kind": "shared", "max_positions": 1},
    },
}
ACCOUNTS = ["lively_paper", "together_paper"]


class Project:
    """A market that ends at a moment, two paper accounts opened then, and their build.

    All of it in one folder, so that a copy is another one that has the same past.
    """

    def __init__(self, folder: Path, whole: Path):
        """Name the places; `whole` is the market with what is to come."""
        self.folder, self.whole = folder, whole
        self.market, self.configs = folder / "market", folder / "configs"
        self.database = folder / "barsieve.duckdb"
        self.live = LiveFolder(self.market)

    def variables(self) -> dict[str, str]:
        """Return the environment that a command of this project has."""
        return {
            "BARSIEVE_PROJECT": str(PROJECT),
            "BARSIEVE_MARKET": str(self.market),
            "BARSIEVE_CONFIGS": str(self.configs),
            "BARSIEVE_DATABASE": str(self.database),
            "DBT_TARGET_PATH": str(self.folder / "target"),
            "DBT_LOG_PATH": str(self.folder / "logs"),
        }

    @contextmanager
    def here(self):
        """Be in this project for a while."""
        with pytest.MonkeyPatch.context() as patch:
            for name in set(os.environ) - set(without_locations()):
                patch.delenv(name)
            for name, value in self.variables().items():
                patch.setenv(name, value)
            patch.chdir(PROJECT)
            yield

    def build(self, database: Path | None = None) -> Path:
        """Build the market as it is now, without what learns."""
        (database or self.database).parent.mkdir(exist_ok=True)
        places = self.variables() | {
            "BARSIEVE_DATABASE": str(database or self.database)
        }
        done = run_dbt("build", "--exclude", "tag:ml", folder=self.folder, **places)
        assert done.exit_code == 0, done.output[-3000:]
        return done.database

    def copy(self, folder: Path) -> "Project":
        """Return a project like this one in another folder."""
        shutil.copytree(self.folder, folder, ignore=shutil.ignore_patterns("logs"))
        return Project(folder, self.whole)

    def settings(self, venue: PaperVenue, ways: Ways = Ways()) -> Settings:  # noqa: B008
        """Return the settings of a run against a venue."""
        return Settings(
            folder=self.live,
            database=self.database,
            configs=self.configs,
            seed=SEED,
            venue=Venue("binance", "USDT", venue.options(), ASKING),
            patience=PATIENCE,
            daily=Daily((), {}, ASKING),
            ways=ways,
        )

    def rows(self, sql: str, database: Path | None = None) -> list[tuple]:
        """Return the rows of a query of the built file."""
        path = str(database or self.database)
        with duckdb.connect(path, read_only=True) as connection:
            connection.execute("set timezone = 'UTC'")
            return connection.execute(sql).fetchall()

    def verdicts(self, database: Path | None = None) -> dict[tuple, int]:
        """Return how many decisions have which verdict and cause."""
        found = self.rows(
            "select verdict, cause, count(*) from parity_live group by all", database
        )
        return {(verdict, cause): n for verdict, cause, n in found}

    def balances(self) -> dict[str, float]:
        """Return the balance of each account by the last line of its journal."""
        return {
            one.account: one.decision["balance"]
            for one in Journal(self.live.journal).lines
        }


def made(folder: Path, whole: Path, end: datetime) -> Project:
    """Make a project whose market ends at a moment, open its accounts, and build it."""
    project = Project(folder, whole)
    cut_market(whole, project.market, end)
    project.configs.mkdir(parents=True)
    shutil.copytree(PROJECT / "configs" / "shared", project.configs / "shared")
    sources = folder / "sources"
    sources.mkdir()
    shutil.copy(PROJECT / "configs" / "demo_edge.json", sources)
    with project.here():
        for name, profile in PROFILES.items():
            path = sources / f"{name}.json"
            path.write_text(json.dumps({"profile": name} | profile))
            open_account(
                project.live, project.configs, str(path), f"{name}_paper", end,
                ["BTC", "ETH"], model_lists(),
            )  # fmt: skip
        project.build()
    return project


Happening = Callable[[PaperVenue, SimulatedClock], None]


def follow(
    project: Project,
    venue: PaperVenue,
    start: datetime,
    hours: list[int],
    happenings: dict[int, Happening],
) -> list:
    """Do the hours after `start`; what happens at one is set before it is done.

    The process is a new one each time, as with --once: nothing is remembered but by
    the files.
    """
    done = []
    clock = SimulatedClock(start, venue)
    for hour in hours:
        clock.set(start + hour * HOUR + timedelta(seconds=2))
        if hour in happenings:
            happenings[hour](venue, clock)
        paper = Paper(project.settings(venue), clock)
        done.append(paper.do())
        paper.close()
    return done
