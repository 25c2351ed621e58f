"""Simulated markets with an effect for what learns of trades, and what is found there.

Markets run through the statements of a build, from the bars to the judgement.
"""

import json
import shutil
from pathlib import Path

from barsieve.core import schemas
from barsieve.core.arrow import rows_of
from barsieve.database.models import put
from barsieve.learning.exits.evaluation import exit_figures
from barsieve.learning.sizes.evaluation import SAME_RISK, sizing_figures
from barsieve.market.effects import EXITS, PROFILES, SIZING, Planted
from barsieve.market.simulation import NOISE, simulate, write_market
from barsieve.profiles.resolution import resolved_profiles
from compiled_project import CompiledProject
from conftest import PROJECT, Build

TWO_YEARS, FIVE_YEARS, A_YEAR = 19_800, 43_800, 9_000
JUDGED = ("evaluation_exits", "evaluation_sizing")
BEYOND = {
    EXITS: ("learned less, own", "rules", "out_of_sample"),
    SIZING: ("learned less, out_of_sample", SAME_RISK, "log_growth_a_year"),
}
"""By kind, where the gain stands that an effect should give."""


def write_profiles(folder: Path, kinds) -> Path:
    """Write the profiles that effects concern, whole, and return their folder."""
    drafts, configs = folder / "drafts", folder / "configs"
    shutil.copytree(PROJECT / "configs", drafts)
    for profile in PROFILES.values():
        place = drafts / f"{profile['profile']}.json"
        place.write_text(json.dumps(profile))
    shutil.copytree(drafts / "shared", configs / "shared")
    wanted = {PROFILES[kind]["profile"] for kind in kinds}
    for profile in resolved_profiles(drafts):
        if profile["profile"] in wanted:
            place = configs / f"{profile['profile']}.json"
            place.write_text(json.dumps(profile))
    return configs


class Markets:
    """The models of a build, from the market to what is judged of trades."""

    def __init__(self, build: Build, folder: Path):
        self.project, self.folder = CompiledProject(build), folder
        self.models = self.project.models
        self.configs = {
            kinds: write_profiles(folder / "-".join(kinds), kinds)
            for kinds in ((EXITS,), (SIZING,), (EXITS, SIZING))
        }

    def _order(self) -> list[str]:
        wanted, left = set(), list(JUDGED)
        while left:
            name = left.pop()
            if name in self.models and name not in wanted:
                wanted.add(name)
                left += self.models[name].parents
        is_run = {
            name: self.models[name].layer not in ("seed", "sweep") for name in wanted
        }
        is_run |= {"sweep_bars": True} | dict.fromkeys(
            (*JUDGED, "fusion_learned"), False
        )
        return self.models.in_order([name for name in wanted if is_run[name]])

    def figures(self, seed: int, hours: int, planted: Planted | None):
        """Return what is judged, by kind; by section, subject and figure."""
        kinds = (EXITS, SIZING) if planted is None else (planted.kind,)
        market, configs = self.folder / "market", self.configs[kinds]
        write_market(simulate(seed, hours, effects=NOISE, planted=planted), market)
        with self.project.connect() as connection:
            connection.execute(f"attach ':memory:' as {self.project.catalog}")
            connection.execute(f"use {self.project.catalog}")
            for place in sorted((PROJECT / "seeds").glob("*.csv")):
                connection.execute(
                    f"create table {place.stem} as from read_csv('{place}')"
                )
            # As in a build without the tag ml: nothing was learned of sweeps.
            nothing = schemas.SWEEP_WALKS.empty_table()
            put(connection, self.models["sweep_walks"].place(), nothing)
            self.project.create(connection, "fusion_learned", market, configs)
            for name in self._order():
                self.project.create(connection, name, market, configs)
            return {kind: _judged(connection, kind) for kind in kinds}

    def gain(self, seed: int, hours: int, planted: Planted) -> dict:
        """Return the row of the gain that an effect should give."""
        return self.figures(seed, hours, planted)[planted.kind][BEYOND[planted.kind]]


def _judged(connection, kind: str) -> dict:
    table = connection.table
    if kind == EXITS:
        found = exit_figures(
            table("config_profiles"), table("exit_learned"), table("trade_paths"),
            table("shadow_seen"),
        )  # fmt: skip
    else:
        found = sizing_figures(
            table("config_symbols"), table("replay_bars"), table("candidates"),
            table("candidate_windows"), table("shadow_results"), table("exit_learned"),
            table("shadow_seen"),
        )  # fmt: skip
    rows = rows_of(connection.from_arrow(found))
    return {(r["section"], r["subject"], r["figure"]): r for r in rows}


def is_found(figures: dict, kind: str) -> bool:
    """Tell whether a gain is claimed: its interval lies above 0."""
    row = figures.get(BEYOND[kind])
    return row is not None and row["low"] is not None and row["low"] > 0
