"""What the code promises its readers, checked on the code itself."""

import ast
import json
import re
from itertools import combinations
from pathlib import Path

import pytest
import yaml

import barsieve
from conftest import PROJECT

LAYERS = [
    "config", "bars", "features", "macro", "regime", "detectors", "scores", "sentinels",
    "votes", "sweep", "fusion", "candidates", "shadow", "replay", "parity", "proof",
    "evaluation", "reports",
]  # fmt: skip
# And config_profiles, whose contract is the schema of profiles: test_settings.py.
PUBLIC = [
    "bars_1h", "features", "scores", "sentinels", "fusion_scores",
    "candidates", "candidate_windows", "trades", "trade_legs", "trade_stops", "equity",
    "replay_trades", "replay_legs", "replay_stops", "replay_equity",
    "parity_summary", "proof_lookahead", "report_live",
    "report_health", "report_performance", "report_random_entries",
    "report_screening", "report_sides", "report_drawdowns", "report_days",
    "report_portfolio", "report_correlations", "regimes", "regime_fits",
    "report_regimes", "report_regime_worth", "report_scores", "report_score_months",
    "report_score_decay", "report_sweep", "sweep_configs",
    "sweep_results", "fusion_learned", "report_optimizer", "report_walk_forward",
]  # fmt: skip
SQL = sorted((PROJECT / "models").rglob("*.sql"))
PYTHON = sorted((PROJECT / "python").rglob("*.py"))
VARS = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())["vars"]
DOMAINS = VARS["domains"]
MODELS = SQL + sorted((PROJECT / "models").rglob("*.py"))


@pytest.fixture(scope="module")
def nodes(demo_build):
    manifest = json.loads((demo_build.target / "manifest.json").read_text())
    return {
        n["name"]: n
        for n in manifest["nodes"].values()
        if n["resource_type"] == "model"
    }


def test_the_project_file_lists_the_layers_in_flow_order():
    project = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())
    listed = [k for k in project["models"]["barsieve"] if not k.startswith("+")]
    assert listed == LAYERS
    assert sorted(
        p.name for p in (PROJECT / "models").iterdir() if p.is_dir()
    ) == sorted(LAYERS)


def test_no_model_refers_to_a_layer_below_its_own(nodes):
    layer = {f"model.barsieve.{name}": node["fqn"][1] for name, node in nodes.items()}
    for name, node in nodes.items():
        for parent in node["depends_on"]["nodes"]:
            if parent in layer:
                above = LAYERS.index(layer[parent])
                assert above <= LAYERS.index(node["fqn"][1]), f"{name} refs {parent}"


def test_a_model_is_called_by_its_layer():
    singular = {
        "features": "feature", "detectors": "detector", "scores": "score",
        "sentinels": "sentinel", "candidates": "candidate", "reports": "report",
    }  # fmt: skip
    for_readers = {
        "trades", "trade_legs", "trade_stops", "trade_decisions", "trade_reasons",
        "trade_paths", "exit_learned", "sizing_learned",
        "equity", "profile_equity", "build_info",
    }  # fmt: skip
    for path in MODELS:
        layer = path.parent.name
        begins = singular.get(layer, layer) + "_"
        is_signal = layer == "macro" and path.stem.startswith("signal_")
        assert is_signal or (
            path.stem in for_readers
            or path.stem == layer
            or path.stem.startswith(begins)
            or path.stem == "regimes"
        ), path


def test_a_score_is_a_domain_and_a_report_computes_nothing():
    scores = {path.stem for path in (PROJECT / "models/scores").glob("score_*.sql")}
    assert {f"score_{domain}" for domain in DOMAINS} == scores
    assert not list((PROJECT / "models/reports").glob("*.py"))


QUERIES = SQL + sorted((PROJECT / "macros").rglob("*.sql"))


def names_every_domain(query: str) -> bool:
    return all(domain in query for domain in DOMAINS)


def test_the_domains_are_listed_once():
    listed = [path.name for path in QUERIES if names_every_domain(path.read_text())]
    assert listed == [], "loop over domains()"
    assert names_every_domain(", ".join(f"weight_{domain}" for domain in DOMAINS))


@pytest.mark.parametrize("constant", ["0.52", "0.48", "0.55", "0.45", "72", "'hmm'"])
def test_a_constant_of_a_rule_is_written_once(constant):
    written = re.compile(rf"(?<![\w.]){constant}(?![\w.])")
    texts = {p.name: re.sub(r"--[^\n]*", "", p.read_text()) for p in QUERIES}
    found = [name for name, text in texts.items() for _ in written.findall(text)]
    assert len(found) == 1, found


def shared_lines(one: str, other: str) -> float:
    """Return the share of a text's lines that the longer has too, numbers aside."""
    lines = [
        {re.sub(r"\d+", "0", line.strip()) for line in text.splitlines()}
        for text in (one, other)
    ]
    return len(lines[0] & lines[1]) / min(map(len, lines))


def test_no_model_is_nearly_another():
    texts = {p.stem: p.read_text() for p in SQL}
    long = [name for name, text in texts.items() if text.count("\n") >= 20]
    for one, other in combinations(long, 2):
        assert shared_lines(texts[one], texts[other]) < 0.7, (one, other)


def test_a_copy_with_another_number_is_told():
    text = (PROJECT / "models/features/feature_1d.sql").read_text()
    assert shared_lines(text, text.replace("20", "30")) == 1.0


@pytest.mark.parametrize("path", MODELS, ids=lambda p: p.stem)
def test_a_model_has_its_description_beside_it(path: Path):
    described = yaml.safe_load(path.with_suffix(".yml").read_text())["models"]
    assert [model["name"] for model in described] == [path.stem]
    assert described[0]["description"].startswith("One "), "says a row"


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_model_has_a_contract_a_key_and_every_column_described(nodes, name):
    node = nodes[name]
    assert node["config"]["contract"]["enforced"]
    grain = node["config"]["meta"]["grain"]
    keys = [c["columns"] for c in node["constraints"] if c["type"] == "primary_key"]
    # A long table has no index: its key is tested by refuse_repeated_keys.
    is_never_null = [
        {"not_null"} <= {c["type"] for c in node["columns"][name]["constraints"]}
        for name in grain
    ]
    assert keys == [grain] or (not keys and all(is_never_null))
    assert all(column["description"] for column in node["columns"].values())


@pytest.mark.parametrize("path", SQL, ids=lambda p: p.stem)
def test_no_model_looks_ahead_or_over_an_unnamed_history(path: Path):
    text = re.sub(r"--[^\n]*", "", path.read_text()).lower()
    assert not re.search(r"\blead\s*\(|\bfollowing\b", text), "looks ahead"
    if path.parent.name not in ("parity", "evaluation", "reports"):
        assert "unbounded" not in text, "a frame without a bound"


@pytest.mark.parametrize("path", SQL, ids=lambda p: p.stem)
def test_settings_of_a_trade_are_no_variables(path: Path):
    assert not re.search(r"\bvar\s*\(|config\.get|\bconfig\s*\(", path.read_text())


@pytest.mark.parametrize("path", sorted((PROJECT / "models").rglob("*.py")))
def test_a_python_model_is_a_doorway(path: Path):
    assert len(path.read_text().splitlines()) <= 25


def test_one_version_everywhere():
    project = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())
    assert project["version"] == barsieve.__version__
    assert f"## {barsieve.__version__}" in (PROJECT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("path", PYTHON, ids=lambda p: p.stem)
def test_only_the_command_line_prints_and_reads_clocks(path: Path):
    text = path.read_text()
    assert not re.search(r"(?<![\w.])print\(", text)
    if not {"cli", "bench", "parts"} & set(path.parts):
        assert not re.search(r"time\.time\(|perf_counter|datetime\.now", text)


def test_numba_is_first_imported_where_its_cache_is_told():
    for path in [*PYTHON, *(PROJECT / "tests").rglob("*.py")]:
        imports = re.search(r"^(from|import) numba\b", path.read_text(), re.M)
        assert not imports or path.name == "numba_cache.py", path


def test_only_the_doorways_of_parity_use_the_oracle():
    for path in PYTHON:
        if path.parent.name != "oracle":
            assert "barsieve.oracle" not in path.read_text(), path
    users = [p.name for p in MODELS if "barsieve.oracle" in p.read_text()]
    assert sorted(users) == ["parity_decisions.py", "parity_features.py"]


@pytest.mark.parametrize(
    ("listed", "folder", "prefix"),
    [
        ("domains", "scores", "score_"),
        ("sentinels", "sentinels", "sentinel_"),
        ("macro_signals", "macro", "signal_"),
    ],
)
def test_a_model_of_a_list_is_one_sql_one_yml_and_one_name(listed, folder, prefix):
    found = (PROJECT / "models" / folder).glob(f"{prefix}*.sql")
    assert {path.stem for path in found} == {prefix + name for name in VARS[listed]}


def test_every_column_of_a_trade_is_compared(nodes):
    text = nodes["parity_trades"]["compiled_code"]
    matched_on = {"replayed", "profile", "symbol", "decision_ts"}
    for name in {*nodes["replay_trades"]["columns"], "stops"} - matched_on:
        assert f"one.{name} is distinct from other.{name}" in text, name


def test_the_bars_of_the_replay_have_the_columns_of_its_record(nodes):
    from barsieve.replay.state import BAR

    text = "".join(nodes[n]["compiled_code"] for n in ("shadow_bars", "replay_bars"))
    # `index` is the position in the array that they are read into.
    for name in BAR.names[1:]:
        assert re.search(rf"(as|\.)\s*{name},", text), name


# A docstring that begins so asks a riddle; its noun comes later, or never.
RIDDLES = {
    "From", "How", "What", "When", "Where", "Whether", "Which", "Who", "Whose", "Why",
}  # fmt: skip


def is_riddle(docstring: str) -> bool:
    return docstring.split(maxsplit=1)[0] in RIDDLES


def documented(path: Path):
    """Yield the docstrings of a module and of all in it that has one."""
    of_others = ast.FunctionDef | ast.ClassDef
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Module):
            yield ast.get_docstring(node) or "What"
        elif isinstance(node, of_others) and (said := ast.get_docstring(node)):
            yield said


def test_docstrings_begin_with_their_noun():
    for path in PYTHON:
        for said in documented(path):
            assert not is_riddle(said), f"{path}: {said}"
    assert is_riddle("How much of a best result is luck.")
    assert not is_riddle("Deflated Sharpe ratio and PBO of a sweep.")
