"""How long a model may be, and how a refusal is written: kept for readers."""

import ast
from pathlib import Path
from statistics import median

import pytest

from conftest import PROJECT

# Lines: half of the files within the first, each within the second.
USUAL, MOST = 40, 80
# Models that say more than one thing, or one that is long, and how long each may be.
# A list that gets shorter: whoever splits one takes it out.
LONGER = {
    "candidate_bounds": 104,
    "feature_hourly": 115,
    "feature_macro": 120,
    "feature_macro_days": 165,
    "features": 125,
    "fusion_scores": 175,
    "evaluation_gate_counts": 95,
    "parity_equity": 93,
    "paths_of": 139,
    "parity_summary": 140,
    "regime_observations": 140,
    "replay_equity": 110,
    "replay_profile_equity": 110,
    "report_health_columns": 315,
    "report_health_market": 275,
    "report_health_profiles": 365,
    "report_regimes": 165,
    "report_sweep": 155,
    "sweep_months": 95,
    "evaluation_decisions": 95,
}
QUERIES = sorted(
    path
    for folder in ("models", "macros", "tests/generic", "tests/singular")
    for path in (PROJECT / folder).rglob("*.sql")
)
PYTHON = sorted((PROJECT / "python").rglob("*.py"))


def lines_of(path: Path) -> int:
    return len(path.read_text().splitlines())


def too_long(lengths: dict[str, int], longer: dict[str, int]) -> dict[str, int]:
    return {name: n for name, n in lengths.items() if n > longer.get(name, MOST)}


def not_needed(lengths: dict[str, int], longer: dict[str, int]) -> set[str]:
    return {name for name in longer if lengths.get(name, 0) <= MOST}


@pytest.fixture(scope="module")
def lengths() -> dict[str, int]:
    return {path.stem: lines_of(path) for path in QUERIES}


def test_sql_is_as_long_as_one_can_read_at_once(lengths):
    assert not too_long(lengths, LONGER), "split it, by meaning"
    assert median(lengths.values()) <= USUAL


def test_the_list_of_longer_models_names_none_that_is_not(lengths):
    assert not not_needed(lengths, LONGER), "take it off the list"


def test_a_line_too_many_and_an_exception_too_many_are_told():
    lengths = {"short": MOST, "grown": MOST + 1, "known": 90}
    assert too_long(lengths, {"known": 90}) == {"grown": MOST + 1}
    assert too_long(lengths, {"grown": 99, "known": 89}) == {"known": 90}
    assert not_needed(lengths, {"known": 90, "short": 99, "gone": 99}) == {
        "short", "gone",
    }  # fmt: skip


def refusals_laid_out_by_hand(text: str) -> list[int]:
    """Return the lines of refusals that the formatter was told to leave alone."""
    lines = text.splitlines()
    return [
        node.lineno
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
        and {"expected", "found", "fix"} & {keyword.arg for keyword in node.keywords}
        and "fmt: skip" in lines[node.end_lineno - 1]
    ]


def test_the_formatter_lays_out_every_refusal():
    for path in PYTHON:
        assert not refusals_laid_out_by_hand(path.read_text()), path
    told = 'refuse("a",\n       expected="b", found="c", fix="d")  # fmt: skip\n'
    assert refusals_laid_out_by_hand(told) == [1]
