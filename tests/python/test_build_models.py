"""The table `build_models`: what made each table, and running it beside the build."""

import json
import shutil
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from barsieve.analysis.session import (
    open_scratch,
    prepare,
    put_profile,
    refuse_outdated,
)
from barsieve.core.errors import InputError
from barsieve.database.connect import connect_to
from barsieve.database.marks import read_marks
from barsieve.database.models import Models, differing, read_models, statement
from barsieve.database.overlay import Scratch
from barsieve.profiles.resolution import complete, resolve
from conftest import PROJECT, run_dbt


@pytest.fixture(scope="module")
def manifest(demo_build) -> dict[str, dict]:
    nodes = json.loads((demo_build.target / "manifest.json").read_text())["nodes"]
    kinds = ("model", "seed")
    return {n["name"]: n for n in nodes.values() if n["resource_type"] in kinds}


@pytest.fixture
def scratch(demo_build):
    made = open_scratch(demo_build.database)
    yield made
    made.connection.close()


def count_apart(scratch: Scratch, one: str, other: str) -> int:
    rows = scratch.rows(
        f"select count(*) as n from (((from {one}) except all (from {other})) "
        f"union all ((from {other}) except all (from {one})))"
    )
    return rows[0]["n"]


def test_the_build_leaves_every_statement_as_dbt_compiled_it(scratch, manifest):
    assert scratch.models.keys() == manifest.keys()
    for name, node in manifest.items():
        model = scratch.models[name]
        assert model.compiled_code == node.get("compiled_code")
        assert model.relation == node["relation_name"] == str(model.place())
        assert model.materialized == node["config"]["materialized"]
        parents = [key.split(".")[-1] for key in node["depends_on"].get("nodes", [])]
        assert sorted(parents) == sorted(
            [*model.parents, *(source.split(".")[1] for source in model.sources)]
        )
        if node["resource_type"] == "model":
            assert model.layer == Path(node["original_file_path"]).parts[1]
            assert all(text in model.compiled_code for text in model.sources.values())


def test_the_statements_are_those_that_made_the_tables(scratch):
    marks = read_marks(scratch.connection)
    assert all(marks[name].is_of(m.built_at) for name, m in scratch.models.items())
    assert differing(PROJECT, scratch.models.values()) == []


def test_a_model_that_runs_again_has_the_rows_that_were_built(scratch):
    built = ("scores", "votes", "macro_vetoes", "fusion_scores", "regime_days")
    for name in built:
        scratch.make(name)
        assert scratch.has_made(name)
        assert count_apart(scratch, name, f'"as.built".main.{name}') == 0
        assert len(scratch.table(name)) > 0


def test_a_python_model_runs_again_on_what_stands_in_place_of_its_parents(scratch):
    profiles = scratch.table("config_profiles").filter("profile = 'btc_live'")
    scratch.put("config_profiles", profiles.to_arrow_table())
    scratch.make("candidate_windows", "replay_runs", "replay_trades")
    made = scratch.rows("select distinct profile from replay_trades")
    assert made == [{"profile": "btc_live"}]
    built = "(from \"as.built\".main.replay_trades where profile = 'btc_live')"
    assert count_apart(scratch, "replay_trades", built) == 0


def test_what_descends_from_rows_put_in_place_is_made_of_them_and_nothing_else(
    demo_build, scratch
):
    before = demo_build.database.read_bytes()
    votes = scratch.table("votes").filter("symbol = 'BTC'").to_arrow_table()
    scratch.put("votes", votes)
    needed = ["fusion_scores", "shadow_bars", "replay_bars"]
    assert scratch.needed(["replay_bars"]) == needed
    scratch.make("replay_bars")
    assert scratch.rows("select distinct symbol from replay_bars") == [
        {"symbol": "BTC"}
    ]
    assert not scratch.has_made("scores")
    assert len(scratch.rows("select distinct symbol from scores")) == 2
    # Other rows: what was made of the first is forgotten.
    scratch.put("votes", votes.slice(0, 0))
    assert not scratch.has_made("replay_bars")
    scratch.make("replay_bars")
    assert scratch.rows("select count(*) as n from replay_bars") == [{"n": 0}]
    assert demo_build.database.read_bytes() == before


def test_what_python_models_made_is_held_unless_it_is_asked_for(scratch):
    between = scratch.needed(["fusion_scores"], ["config_profiles"])
    assert "regimes" not in between
    assert "config_envelopes" in between
    assert "regime_runs" in Scratch(
        connect_to(scratch.path), scratch.path, held=()
    ).needed(["fusion_scores"], ["config_profiles"])


def test_a_text_that_reads_like_a_name_stays_a_text(scratch):
    name = scratch.models["scores"].relation
    model = scratch.models["macro_vetoes"]._replace(
        model="texts",
        compiled_code=f"select '{name}' as text, count(*) as n from {name}",
    )
    scratch.models["texts"] = model._replace(
        relation=model.relation.replace("macro_vetoes", "texts"), parents=["scores"]
    )
    scratch.put("scores", scratch.table("scores").limit(3).to_arrow_table())
    scratch.make("texts")
    assert scratch.rows("from texts") == [{"text": name, "n": 3}]


def test_a_source_has_no_rows_but_those_that_are_put(scratch):
    with pytest.raises(InputError, match=r"source market\.bars: expected rows"):
        statement(scratch.models["bars_1h"], {})
    shipped = resolve(PROJECT / "configs/btc_live.json").document
    lines = pa.table({"json": [json.dumps(shipped | {"profile": "mine"})]})
    scratch.put("configs.profiles", lines)
    scratch.make("config_profiles")
    assert scratch.rows("select profile from config_profiles") == [{"profile": "mine"}]


def altered(build, folder: Path, *statements: str) -> Path:
    path = folder / "altered.duckdb"
    shutil.copy(build.database, path)
    with duckdb.connect(str(path)) as connection:
        for text in statements:
            connection.execute(text)
    return path


CHANGED = {"exits.stop_atr": 3.0}


def test_a_database_without_statements_is_refused(demo_build, tmp_path):
    path = altered(demo_build, tmp_path, "drop table build_models")
    with pytest.raises(InputError, match="table build_models: expected the statements"):
        prepare(path, "btc_live", CHANGED)


def test_a_statement_that_is_not_of_its_table_is_refused(demo_build, tmp_path):
    """A killed run leaves tables of its own, and the statements of the one before."""
    path = altered(
        demo_build, tmp_path,
        "update build_models set built_at = built_at - interval '1 hour' "
        "where model = 'fusion_scores'",
    )  # fmt: skip
    with pytest.raises(InputError, match="table fusion_scores: expected one made by"):
        prepare(path, "btc_live", CHANGED)
    assert prepare(path, "btc_live").profile == "btc_live"


def test_statements_of_other_files_than_the_folder_has_are_refused(
    demo_build, tmp_path, monkeypatch
):
    path = altered(
        demo_build, tmp_path,
        "update build_models set definition = 'x' where model = 'replay_bars'",
    )  # fmt: skip
    monkeypatch.chdir(PROJECT)
    with pytest.raises(InputError, match="one that they would build differently"):
        prepare(path, "btc_live", CHANGED)
    # Outside of a project there is nothing to hold them against.
    monkeypatch.delenv("BARSIEVE_PROJECT", raising=False)
    monkeypatch.chdir(tmp_path)
    assert prepare(path, "btc_live", CHANGED).document["exits"]["stop_atr"] == 3.0


def test_models_come_after_what_they_read(scratch):
    models = scratch.models
    order = models.in_order(models)
    assert len(order) == len(models)
    for name in order:
        above = [parent for parent in models[name].parents if parent in models]
        assert all(order.index(parent) < order.index(name) for parent in above)
    assert models.descendants(["trades"])[0] not in models["trades"].parents
    assert Models().in_order(["trades"]) == []


OWN_MACRO = (
    "{% macro calmer(confidence) %}({{ confidence }} * {{ mine.half() }}){% endmacro %}"
)
PACKAGE = "name: mine\nversion: '1.0'\nconfig-version: 2\nmacro-paths: [macros]\n"


def own_project(folder: Path) -> Path:
    """A copy of the project with a macro and a package of its own, and other models."""
    project = folder / "own"
    for part in ("models", "macros", "seeds", "configs", "tests"):
        ignored = shutil.ignore_patterns("python")
        shutil.copytree(PROJECT / part, project / part, ignore=ignored)
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(PROJECT / name, project)
    package = project / "local/mine"
    (package / "macros").mkdir(parents=True)
    (package / "dbt_project.yml").write_text(PACKAGE)
    (package / "macros/half.sql").write_text("{% macro half() %}0.5{% endmacro %}")
    (project / "packages.yml").write_text("packages:\n  - local: local/mine\n")
    (project / "macros/calmer.sql").write_text(OWN_MACRO)
    bars = project / "models/replay/replay_bars.sql"
    text = bars.read_text()
    assert "bars.*," in text
    calmer = "{{ calmer('bars.confidence') }}"
    text = text.replace("bars.*,", f"bars.* replace ({calmer} as confidence),")
    bars.write_text(text.replace("ref('shadow_bars')", "ref('shadow_passed_on')"))
    passed_on = "{{ config(materialized='ephemeral') }} from {{ ref('shadow_bars') }}"
    (project / "models/shadow/shadow_passed_on.sql").write_text(passed_on)
    broken = project / "models/replay/trade_legs.sql"
    broken.write_text("select 1 as one from {{ ref('replay_legs') }}")
    for name in ("exposures.yml", "report_walk_forward.sql", "report_walk_forward.yml"):
        (project / "models/reports" / name).unlink()
    return project


@pytest.mark.slow
def test_a_projects_own_macros_packages_and_models_run_beside_its_build(
    demo_build, tmp_path, monkeypatch
):
    project, folder = own_project(tmp_path), tmp_path / "run"
    folder.mkdir()
    shutil.copy(demo_build.database, folder / "barsieve.duckdb")
    where = ("--project-dir", str(project), "--profiles-dir", str(project))
    market = PROJECT / "data/demo"
    installed = run_dbt("deps", *where, folder=folder, BARSIEVE_MARKET=market)
    assert installed.exit_code == 0, installed.output[-3000:]
    chosen = ("--select", "replay_bars", "trade_legs")
    build = run_dbt("run", *chosen, *where, folder=folder, BARSIEVE_MARKET=market)
    assert "ERROR creating sql view model main.trade_legs" in build.output
    path = folder / "barsieve.duckdb"
    with demo_build.connect() as connection:
        before = read_models(connection, demo_build.database)
    monkeypatch.setenv("BARSIEVE_PROJECT", str(project))
    with connect_to(path) as connection:
        scratch = Scratch(connection, path)
        models = scratch.models
        # Made anew, kept though its file is another, gone with its file.
        bars = models["replay_bars"]
        assert "* 0.5" in bars.compiled_code
        assert bars.parents == ["shadow_bars", "sizing_learned"]
        assert models["trade_legs"] == before["trade_legs"]
        assert models["trades"] == before["trades"]
        assert before.keys() - models.keys() == {"report_walk_forward"}
        assert differing(project, [bars]) == []
        assert [m.model for m in differing(project, models.values())] != []

        document = json.loads((project / "configs/btc_live.json").read_text())
        put_profile(scratch, complete(document))
        halved = scratch.rows(
            "select count(*) as n from replay_bars "
            "inner join fusion_scores using (profile, bar_ts) "
            "where replay_bars.confidence = fusion_scores.confidence * 0.5"
        )
        assert halved[0]["n"] > 1000
    with pytest.raises(InputError, match="built by the models"):
        refuse_outdated(scratch)
