"""Own domains, a sentinel and a macro signal: models, names in lists, a weight.

A copy of the project gets what its author would write and nothing else; build, sweep,
learning, replay, report and explanation of the copy must know the models.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from builds import without_locations
from conftest import PROJECT

PARTS = ("configs", "macros", "models", "seeds", "tests/generic", "tests/singular")
FILES = ("dbt_project.yml", "profiles.yml")
MODELS = {
    "scores/score_drift": """
        select symbol, bar_ts,
            least(greatest(0.5 + 20 * return_24, 0), 1) as score,
        from {{ ref('features') }}
    """,
    "scores/score_range": """
        select symbol, bar_ts, 1 - range_position_20_1d as score,
        from {{ ref('features') }}
        where range_position_20_1d is not null
    """,
    "sentinels/sentinel_wide_bar": """
        select symbol, bar_ts, 'none' as side,
        from {{ ref('features') }}
        where tr > atr_14
    """,
    "macro/signal_gold_calm": """
        select symbol, bar_ts, 0 as veto_long, if(gold > 0, 0.1, 0) as veto_short,
            0 as greenlight, gold is not null as is_known,
        from {{ ref('features') }}
    """,
}
# Profiles that no test here asks for; they cost a build's time.
UNASKED = (
    "btc_live", "demo_edge", "eth_live_conservative", "eth_sentinel", "eth_regime",
)  # fmt: skip
LISTS = {
    "own_domains": "drift, range", "own_sentinels": "wide_bar",
    "own_signals": "gold_calm",
}  # fmt: skip


def profile() -> dict:
    """Return a profile of the seven domains that learns, beside one of five.

    Its name comes later: the first learner's regimes are the state of the months.
    """
    made = json.loads((PROJECT / "configs/eth_learned.json").read_text())
    weights = {"wyckoff": 0.2, "liquidity": 0.2, "smc": 0.1, "momentum": 0.25}
    made |= {"profile": "the_seven", "symbols": ["ETH"]}
    made["weights"] = weights | {"temporal": 0.0, "drift": 0.15, "range": 0.1}
    made["screen"]["envelope"]["weights"] = {
        "wyckoff": [0.1, 0.3], "liquidity": [0.1, 0.4], "smc": [0.1, 0.2],
        "momentum": [0.2, 0.4], "drift": [0.1, 0.2], "range": [0.05, 0.1],
    }  # fmt: skip
    made["entry"]["sentinels"] = ["wide_bar", "volume_spike"]
    made["macro_signals"] = ["vix_risk_off", "gold_calm"]
    return made


def few() -> dict:
    """Return a profile of two domains, one its own, behind the legacy screen."""
    made = json.loads((PROJECT / "configs/eth_sentinel.json").read_text())
    made |= {"profile": "eth_few", "weights": {"momentum": 0.6, "drift": 0.4}}
    made["screen"]["sentinels"] = ["wide_bar"]
    return made


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A copy of the project with those models and profiles, built."""
    folder = tmp_path_factory.mktemp("own_models") / "project"
    for part in PARTS:
        shutil.copytree(PROJECT / part, folder / part)
    for name in FILES:
        shutil.copy(PROJECT / name, folder)
    text = (folder / "dbt_project.yml").read_text()
    for name, names in LISTS.items():
        assert f"{name}: []" in text
        text = text.replace(f"{name}: []", f"{name}: [{names}]")
    (folder / "dbt_project.yml").write_text(text)
    for name, sql in MODELS.items():
        (folder / f"models/{name}.sql").write_text(sql)
        described = f"models: [{{name: {Path(name).name}, description: One hour.}}]\n"
        (folder / f"models/{name}.yml").write_text(described)
    for name in UNASKED:
        (folder / f"configs/{name}.json").unlink()
    for made in (profile(), few()):
        path = folder / f"configs/{made['profile']}.json"
        path.write_text(json.dumps(made))
    ran(folder, "-m", "dbt.cli.main", "build")
    return folder


def ran(folder: Path, *arguments: str) -> str:
    environment = without_locations() | {
        "PYTHONPATH": str(PROJECT / "python"),
        "BARSIEVE_MARKET": str(PROJECT / "data/demo"),
        "DBT_TARGET_PATH": str(folder / "target"),
    }
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    return done.stdout


def asked(folder: Path, query: str) -> list[tuple]:
    with duckdb.connect(str(folder / "barsieve.duckdb"), read_only=True) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.slow
def test_own_domains_are_in_fusion_screen_sweep_learning_and_proof(own):
    assert asked(
        own,
        "select bool_and(map_keys(weights) = ['wyckoff', 'liquidity', 'smc', "
        "'momentum', 'temporal', 'drift', 'range']), count(*) > 10000 "
        "from fusion_scores where profile = 'the_seven'",
    ) == [(True, True)]
    assert asked(
        own, "select verdict from parity_summary where profile = 'the_seven'"
    ) == [("holds",)]
    assert asked(
        own, "select count(*) from parity_fusion where verdict != 'identical'"
    ) == [(0,)]
    swept = asked(
        own,
        "select count(distinct weights['drift']), any_value(len(map_keys(weights))) "
        "from sweep_configs where symbol = 'ETH' and violation is null "
        "and profile = 'the_seven'",
    )
    assert swept[0][0] > 1
    assert swept[0][1] == 7
    learned = asked(
        own,
        "select list(distinct domain order by domain) from fusion_learned "
        "where profile = 'the_seven'",
    )
    assert set(learned[0][0]) == {*profile()["weights"]}


@pytest.mark.slow
def test_own_models_move_nothing_of_a_profile_that_does_not_name_them(own, demo_build):
    attached = f"attach '{demo_build.database}' as other (read_only);"
    same = (
        "profile, symbol, bar_ts, fusion_score, side, net_veto_long, net_veto_short, "
        "macro_coverage, is_entry from {}fusion_scores "
        "where profile in ('eth_live_aggressive', 'eth_learned')"
    )
    with duckdb.connect(str(own / "barsieve.duckdb"), read_only=True) as connection:
        connection.execute(attached)
        ours, theirs = (f"select {same.format(place)}" for place in ("", "other."))
        assert not connection.execute(f"{ours} except all {theirs}").fetchall()


@pytest.mark.slow
def test_a_required_sentinel_and_the_chosen_signals_gate_the_entries(own):
    (n, entered_without, vetoes), *_ = asked(
        own,
        "select count_if(is_entry), count_if(is_entry and not has_sentinel), "
        "count(distinct net_veto_short) from fusion_scores where profile = 'the_seven'",
    )
    assert n > 0
    assert entered_without == 0
    assert vetoes > 1
    assert asked(
        own,
        "select bool_and(list_contains(string_split(reason, ','), 'wide_bar')), "
        "count(*) > 0 from candidates where profile = 'eth_few'",
    ) == [(True, True)]
    assert asked(
        own, "select bool_and(votes_long + votes_short <= 2) from fusion_scores "
        "where profile = 'eth_few'",
    ) == [(True,)]  # fmt: skip


@pytest.mark.slow
def test_own_models_are_replayed_explained_swept_and_reported(own, tmp_path):
    told = json.loads(
        ran(own, "-m", "barsieve", "explain", "1", "--profile", "the_seven", "--json")
    )
    assert [vote["domain"] for vote in told["votes"]] == [*profile()["weights"]]
    ran(own, "-m", "barsieve", "replay", "--profile", "the_seven",
        "--set", 'macro_signals=["gold_calm"]')  # fmt: skip
    ran(own, "-m", "barsieve", "sweep", "--grid", "quick", "--profile", "the_seven",
        "--symbol", "ETH")  # fmt: skip
    page = tmp_path / "report.html"
    ran(own, "-m", "barsieve", "report", "--to", str(page))
    assert "drift" in page.read_text()


@pytest.mark.slow
def test_own_models_are_proven_and_judged(own):
    ran(own, "-m", "barsieve", "prove", "--cuts", "3")
    verdicts = asked(
        own,
        "select table_name, bool_and(verdict like 'proven%'), min(cuts) "
        "from proof_lookahead where table_name in ('score_drift', 'score_range', "
        "'sentinel_wide_bar', 'signal_gold_calm') group by table_name order by all",
    )
    assert verdicts == [
        (name, True, 3)
        for name in (
            "score_drift", "score_range", "sentinel_wide_bar", "signal_gold_calm"
        )
    ]  # fmt: skip
    names = asked(own, "select list(distinct name) from report_scores")[0][0]
    assert {"drift", "range", "wide_bar", "gold_calm"} <= set(names)
