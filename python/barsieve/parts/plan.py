"""Plan of a build by parts: its models in levels, from what dbt compiled.

A model is a *part* where it is made of one symbol's bars and declares nothing else: all
between the bars and the candidates that does not read the market (`meta.reads`), and
behind them what says so itself (`meta.parts`: symbol, or account for what a replay of
an account makes). What is left is made by dbt, on the driver. A level is the parts that
can be made once the driver has made what they read; the driver then makes what the next
level needs.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from barsieve.core.errors import refuse
from barsieve.database.flow import flow_of
from barsieve.database.models import Model, Models, definition_of, macros_of

SYMBOL, ACCOUNT, MARKET = "symbol", "account", "market"
# Sources of which each symbol has its own rows.
OF_A_SYMBOL = ("market.bars", "market.funding")


class Step(NamedTuple):
    """A model that is made part by part.

    `by`: `symbol`, or `account`. `columns`: those of its contract, in their order; none
    without one. `holds`: what its constraints ask of every row, as SQL. `key`: columns
    that name a row, where that is enforced.
    """

    model: Model
    by: str
    columns: list[str]
    holds: list[str]
    key: list[str]

    @property
    def is_view(self) -> bool:
        """True where it has no rows of its own."""
        return self.model.materialized == "view"


class Level(NamedTuple):
    """Level of a plan.

    `before`: nodes that dbt makes before the parts of it. `steps`: the parts, each
    after those that it reads, and views of earlier levels that they read. `new`: names
    of those that no earlier level has. `given`: the tables of the driver that they
    read.
    """

    before: list[str]
    steps: list[Step]
    new: set[str]
    given: list[str]

    @property
    def tables(self) -> list[str]:
        """Return the tables that a part of this level writes."""
        return [step.model.model for step in self.steps if not step.is_view]


class PartsPlan(NamedTuple):
    """Plan of a build by parts.

    `levels`: in their order. `last`: nodes that dbt makes when all parts are made.
    `nodes`: what dbt knows of each table, by its name. `selected`: the tables that are
    made at all.
    """

    levels: list[Level]
    last: list[str]
    nodes: dict[str, dict[str, Any]]
    selected: set[str]

    @property
    def tables(self) -> list[str]:
        """Return the tables that parts write."""
        return [name for level in self.levels for name in level.tables]

    def step(self, name: str) -> Step:
        """Return the part that writes a table."""
        found = (s for level in self.levels for s in level.steps)
        return next(step for step in found if step.model.model == name)


def _name(node: Mapping[str, Any]) -> str:
    return str(node["alias"] or node["name"])


def _parents(node: Mapping[str, Any], manifest: Mapping[str, Any]) -> list[str]:
    """Return the keys that a node reads; an ephemeral model is what it reads."""
    found = []
    for key in node["depends_on"].get("nodes", []):
        parent = manifest["nodes"].get(key)
        if parent and parent["config"]["materialized"] == "ephemeral":
            found += _parents(parent, manifest)
        else:
            found.append(key)
    return found


def _model(
    node: Mapping[str, Any], manifest: Mapping[str, Any], started: datetime, own: str
) -> Model:
    """Return a node as `build_models` has it, less the settings of a session."""
    keys = _parents(node, manifest)
    meta = node["config"]["meta"]
    sources = [manifest["sources"][key] for key in keys if key.startswith("source.")]
    is_own = node["package_name"] == own
    folder = "" if is_own else f"dbt_packages/{node['package_name']}/"
    is_model = node["resource_type"] == "model"
    return Model(
        model=_name(node),
        relation=node["relation_name"],
        layer=node["fqn"][1] if len(node["fqn"]) > 2 else node["resource_type"],
        language=node.get("language") if is_model else None,
        materialized=node["config"]["materialized"],
        parents=[_name(manifest["nodes"][k]) for k in keys if k in manifest["nodes"]],
        sources={
            f"{s['source_name']}.{s['name']}": s["relation_name"] for s in sources
        },
        grain=meta.get("grain"),
        reads=meta.get("reads"),
        known_at=meta.get("known_at"),
        appends_by=meta.get("appends_by"),
        settles_after=meta.get("settles_after") or 0,
        looks_back=meta.get("looks_back"),
        looks_back_each=meta.get("looks_back_each"),
        counts=meta.get("counts"),
        excused=meta.get("lookahead_excused"),
        file=folder + node["original_file_path"],
        definition=None,
        settings={},
        built_at=started,
        compiled_code=node.get("compiled_code"),
    )


def _step(model: Model, node: Mapping[str, Any], by: str) -> Step:
    columns, holds, key = [], [], []
    if node["contract"]["enforced"]:
        columns = list(node["columns"])
        keys = [
            list(c["columns"])
            for c in node["constraints"]
            if c["type"] == "primary_key"
        ]
        key = keys[0] if keys else list(model.grain or [])
        holds = [c["expression"] for c in node["constraints"] if c["type"] == "check"]
        for name, about in node["columns"].items():
            kinds = {c["type"] for c in about["constraints"]}
            if kinds & {"not_null", "primary_key"}:
                holds.append(f'"{name}" is not null')
            holds += [
                c["expression"] for c in about["constraints"] if c["type"] == "check"
            ]
    return Step(model, by, columns, holds, key)


def _declared(node: Mapping[str, Any], between: set[str], model: Model) -> str:
    """Return by what a model is made: symbol, account, or the market as a whole."""
    said = node["config"]["meta"].get("parts")
    if said not in (None, SYMBOL, ACCOUNT, MARKET):
        refuse(
            model.file,
            "meta.parts",
            expected=f"{SYMBOL}, {ACCOUNT} or {MARKET}",
            found=str(said),
            fix="leave it out where a model reads the whole market",
        )
    if said:
        return str(said)
    is_own = model.model in between and model.reads is None
    return SYMBOL if is_own and model.language == "sql" else MARKET


def _kinds(
    models: Models, nodes: Mapping[str, Mapping[str, Any]], selected: set[str]
) -> dict[str, str]:
    """Return the models that are parts, and by what each is made."""
    between = set(flow_of(models).between)
    found: dict[str, str] = {}
    for name in models.in_order(set(models)):
        model, node = models[name], nodes[name]
        if name not in selected or model.language is None:
            continue
        is_of_symbols = bool(
            set(model.sources) & set(OF_A_SYMBOL) or set(model.parents) & set(found)
        )
        by = _declared(node, between, model)
        if by != MARKET and is_of_symbols:
            found[name] = by
    return found


def _ranks(
    models: Models, kinds: Mapping[str, str], chosen: set[str]
) -> tuple[dict[str, int], ...]:
    """Return at which level each part is made, and before which each of the driver's.

    The driver's are there before a level begins; parts are there after it ended. What
    is left out is there, as it stands, from the beginning.
    """
    part: dict[str, int] = {}
    driver: dict[str, int] = {}
    for name in models.in_order(set(models)):
        read = [p for p in models[name].parents if p in models and name in chosen]
        if name in kinds:
            part[name] = max((part.get(p, driver.get(p, 0)) for p in read), default=0)
        else:
            driver[name] = max(
                (part[p] + 1 if p in part else driver[p] for p in read), default=0
            )
    return part, driver


def plan_of(
    manifest: Mapping[str, Any],
    selected: set[str],
    project: Path,
    started: datetime,
) -> PartsPlan:
    """Return the plan of a build from dbt's manifest, whose code is compiled.

    `selected`: the keys of the nodes that are to be made.
    """
    own = manifest["metadata"]["project_name"]
    macros, nodes, records = macros_of(project), {}, {}
    for node in manifest["nodes"].values():
        is_table = node["resource_type"] in ("model", "seed", "snapshot")
        if not is_table or node["config"]["materialized"] == "ephemeral":
            continue
        model = _model(node, manifest, started, own)
        if node.get("raw_code"):
            definition = definition_of(node["raw_code"], macros)
            model = model._replace(definition=definition)
        nodes[model.model], records[model.model] = node, model
    models = Models(records)
    chosen = {_name(node) for node in nodes.values() if node["unique_id"] in selected}
    kinds = _kinds(models, nodes, chosen)
    part, driver = _ranks(models, kinds, chosen)
    needed = _needed(models, kinds, chosen)
    levels, order = [], models.in_order(set(models))
    for rank in range(max(part.values(), default=-1) + 1):
        own_parts = {name for name in order if part.get(name) == rank}
        names = models.in_order(own_parts | _views_below(models, own_parts, kinds))
        before = [
            name
            for name in order
            if name in chosen and name in needed and driver.get(name) == rank
        ]
        steps = [_step(models[name], nodes[name], kinds[name]) for name in names]
        given = _given(models, names, kinds)
        levels.append(Level(before, steps, own_parts, given))
    made = {name for level in levels for name in level.before}
    # What no part needs waits for the end.
    last = [n for n in order if n in chosen and n in driver and n not in made]
    return PartsPlan(levels, last, nodes, chosen)


def _needed(models: Models, kinds: Mapping[str, str], chosen: set[str]) -> set[str]:
    """Return what parts are made of, near and far."""
    found = set(kinds)
    for name in reversed(models.in_order(set(models))):
        if name in found & chosen:
            found.update(models.inputs(name))
    return found


def _views_below(models: Models, names: set[str], kinds: Mapping[str, str]) -> set[str]:
    """Return the views that parts read, near and far: each level has its own."""
    found: set[str] = set()
    ahead = list(names)
    while ahead:
        for parent in models[ahead.pop()].parents:
            is_view = parent in kinds and models[parent].materialized == "view"
            if is_view and parent not in found | names:
                found.add(parent)
                ahead.append(parent)
    return found


def _given(models: Models, names: list[str], kinds: Mapping[str, str]) -> list[str]:
    """Return the driver's tables that some parts read."""
    read = (parent for name in names for parent in models[name].parents)
    return [parent for parent in dict.fromkeys(read) if parent not in kinds]


def read_manifest(target: Path) -> tuple[dict[str, Any], set[str]]:
    """Return what dbt compiled, and the keys of what was selected."""
    manifest = json.loads((target / "manifest.json").read_text())
    results = json.loads((target / "run_results.json").read_text())
    return manifest, {result["unique_id"] for result in results["results"]}
