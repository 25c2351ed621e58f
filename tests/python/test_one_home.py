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
