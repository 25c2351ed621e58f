"""One home for each rule: nobody else has a body of what these modules define."""

import re
from typing import NamedTuple

import pytest

from conftest import PROJECT


class Rule(NamedTuple):
    """How a body of a rule looks, where it may stand, and others that were seen."""

    looks: str
    homes: set[str]
    seen: list[str]


RULES = {
    # The compiled figures of a sweep are held equal to these by test_sweep.py.
    "Sharpe ratio, drawdown, profit factor": Rule(
        r"sqrt\((365|DAYS_A_YEAR)|maximum\.accumulate|cummax|stddev\w*\(daily"
        r"|profit_factor = .*/|/ peak\b|(?i:drawdown\w* = .*/)",
        {"metrics/performance.py", "sweep/figures.py"},
        [
            "returns.mean() / returns.std(ddof=1) * np.sqrt(365)",
            "    return value / peak - 1;",
            "stddev_samp(daily_return order by close_day)",
            "const drawdown = equity / highest - 1",
            "profit_factor = won / lost",
        ],
    ),
    "a file that is whole or not there": Rule(
        r"os\.(replace|rename)\(|mkstemp|NamedTemporaryFile|\w\.rename\(",
        {"core/files.py"},
        ["os.replace(part, path)", "beginning.rename(path)", "tempfile.mkstemp()"],
    ),
    "a moment that a user writes": Rule(
        r"datetime\.fromisoformat", {"core/times.py"}, ["datetime.fromisoformat(text)"]
    ),
    "rows as dicts": Rule(
        r"to_arrow_table\(\)\.to_pylist|dict\(zip\(\w+, row",
        {"core/arrow.py"},
        ["relation.to_arrow_table().to_pylist()", "dict(zip(names, row, strict=True))"],
    ),
    "the side of a tie of votes": Rule(
        r"\b0\.(52|48)\b",
        {"signals/score.py", "oracle/entries.py", "oracle/candidates.py"},
        ["is_long = (margin == 0) & (score > 0.52)", "fusion_score < 0.48"],
    ),
    "the first bar of a block": Rule(
        r"~word|nth_of_block = 1|unique\(.*return_index",
        {"signals/blocks.py", "fusion_scores.sql"},
        ["np.unique(block[passing], return_index=True)[1]"],
    ),
    "how far an envelope reaches": Rule(
        r"envelope ->>|envelope\.get\(|envelope_of\(",
        # Before a build there is its document alone; the oracle reads for itself.
        {
            "config_envelopes.sql",
            "config_weights.sql",
            "profiles/contradictions.py",
            "oracle/entries.py",
            "oracle/candidates.py",
        },
        [
            "coalesce((envelope ->> '$.entry_threshold')::double, entry_threshold)",
            'envelope.get("entry_threshold", own[-1])',
        ],
    ),
    "the study of a profile": Rule(
        r"study_(start|end)",
        {"signals/market.py", "fusion_scores.sql", "oracle/entries.py"},
        ["is_inside &= closed_at > profile.study_start.timestamp() * 1e6"],
    ),
    "when a bar is known": Rule(
        r"bar_ts \+ (HOUR|interval '1 hour')|as_py\(\) \+ HOUR|timestamptz - interval",
        {"bars_1h.sql", "proof/plan.py"},
        [
            "bar_ts + HOUR_US",
            "self.bar_ts + HOUR",
            "$at::timestamptz - interval 1 hour",
        ],
    ),
    "how long a belief holds": Rule(
        r"(=|>) 72\b", {"regime_days.sql"}, ["STALE_AFTER_HOURS = 72", "age <= 72"]
    ),
    "why a trade was left": Rule(
        r"held for the other side|price reached",
        {"analysis/trade_reasons.py"},
        ['stop: "the price reached the stop that it began with",'],
    ),
}


def sources() -> dict[str, str]:
    """Return the sources of package, page and models, by their path."""
    package = PROJECT / "python/barsieve"
    found = {
        path.relative_to(package).as_posix(): path.read_text()
        for kind in ("py", "js")
        for path in package.rglob(f"*.{kind}")
        if "vendor" not in path.parts
    }
    models = (PROJECT / "models").rglob("*.sql")
    return found | {path.name: path.read_text() for path in models}


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_a_rule_has_one_home(rule):
    texts = sources().items()
    assert {path for path, text in texts if re.search(rule.looks, text)} == rule.homes


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_another_body_would_be_seen(rule):
    assert all(re.search(rule.looks, line) for line in rule.seen)
