"""Every sound market builds: to trades, to parity, and to what it lacks by name."""

from datetime import timedelta
from typing import NamedTuple

import duckdb
import pytest

from barsieve.market.check import check_market
from barsieve.profiles.check import check_configs
from compiled_project import CompiledProject
from conftest import PROJECT
from zoo import YEAR_AND_A_MONTH, Zoo

pytestmark = pytest.mark.slow

SEED = PROJECT / "seeds/macro_series.csv"
HEALTH = (
    "evaluation_gate_counts",
    "evaluation_gates",
    "evaluation_macro_coverage",
    "report_screening",
) + tuple(
    f"report_health{part}"
    for part in ("_market", "_columns", "_profiles", "_picks", "_learned", "")
)
MOMENTUM_ALONE = dict.fromkeys(("wyckoff", "liquidity", "smc", "temporal"), 0.0)
BOLD = {"risk_min": 0.02, "risk_max": 0.05, "risk_cap": 0.05, "leverage": 10.0}


class Built(NamedTuple):
    """A market of the zoo, built in memory to parity and health."""

    connection: duckdb.DuckDBPyConnection
    findings: dict[tuple[str, str, str], tuple[float | None, str]]

    def kinds(self, symbol: str) -> set[str]:
        return {kind for of, _, kind in self.findings if of == symbol}

    def meaning(self, *key: str) -> str:
        return self.findings[key][1]

    def end_balance(self, profile: str) -> float:
        return self.connection.execute(
            "select end_balance from replay_runs "
            "where replayed = 'full' and profile = ?",
            [profile],
        ).fetchone()[0]


def build(project: CompiledProject, zoo: Zoo) -> Built:
    """Build a market that the checks call sound; every exact promise is kept."""
    symbols, problems = check_market(zoo.market, SEED)
    assert problems + check_configs(zoo.configs, symbols) == []
    connection = project.connect()
    project.run(
        connection, zoo.market, zoo.configs, without=("sweep", "evaluation", "reports")
    )
    for name in HEALTH:
        project.create(connection, name, zoo.market, zoo.configs)
    for test in ("parity_trades", "parity_equity"):
        n_apart = connection.execute(
            f"select count(*) from {test} inner join config_profiles using (profile) "
            "where verdict != 'identical' and parity_promise = 'exact'"
        ).fetchone()[0]
        assert n_apart == 0, test
    verdicts = connection.execute(
        "select profile, verdict from parity_summary where promise = 'exact'"
    ).fetchall()
    assert {verdict for _, verdict in verdicts} <= {"holds", "vacuous"}
    rows = connection.execute("from report_health").fetchall()
    return Built(connection, {tuple(r[:3]): (r[3], r[5]) for r in rows})


@pytest.fixture(scope="module")
def project(demo_build) -> CompiledProject:
    return CompiledProject(demo_build)


@pytest.fixture(scope="module")
def kinds(project, tmp_path_factory) -> Built:
    """Eight symbols, each of a kind; macro and funding as in the simulated market."""
    zoo = Zoo(tmp_path_factory.mktemp("kinds"))
    # What the regimes of the others are read from.
    zoo.bars("BTC", f"from BTC limit {YEAR_AND_A_MONTH}")
    zoo.bars("HOURS400", "from ETH limit 400")
    zoo.bars("DAYS60", "from ETH limit 1440")
    three_weeks = "'2021-06-01 00:00Z' and timestamptz '2021-06-21 23:00Z'"
    zoo.bars(
        "HOLE",
        f"select * from (from ETH limit {YEAR_AND_A_MONTH // 2}) "
        f"where ts not between timestamptz {three_weeks}",
    )
    zoo.bars("YOUNG", "from ETH limit 720 offset 5040")
    zoo.scaled("TINY", "ETH", 2.0**-37, 3000)
    zoo.scaled("HUGE", "BTC", 2.0**9, 3000)
    zoo.stretched("CALM", "ETH", 0.02, 4000)
    for symbol in ("BTC", "HOURS400", "DAYS60", "HOLE", "YOUNG", "TINY", "HUGE"):
        zoo.profile(symbol)
    for name, classifier in (("hmm", "hmm"), ("kmeans", "kmeans")):
        zoo.profile("BTC", f"btc_{name}", regime={"classifier": classifier})
    for cadence in ("1h", "4h"):
        zoo.profile("CALM", f"calm_{cadence}", entry={"cadence": cadence})
    for kind in ("shared", "separate"):
        zoo.profile("*", f"all_{kind}", wallet={"kind": kind})
    zoo.macro()
    zoo.funding("BTC", "HOLE", "HUGE")
    return build(project, zoo)


@pytest.fixture(scope="module")
def bare(project, tmp_path_factory) -> Built:
    """No folder of macro series, none of funding; prices that swing once a day."""
    zoo = Zoo(tmp_path_factory.mktemp("bare"))
    zoo.bars("BTC", "from BTC limit 1500")
    zoo.waves("SWING", period=24, hours=1500)
    zoo.profile("BTC", regime={"classifier": "hmm"})
    zoo.profile("SWING", weights=MOMENTUM_ALONE | {"momentum": 1.0}, risk=BOLD)
    return build(project, zoo)


def with_macro(project, folder, years: float, **macro) -> Built:
    zoo = Zoo(folder)
    zoo.long_history("BTC", years)
    zoo.profile("BTC", regime={"classifier": "kmeans"}, entry={"entry_threshold": 0.6})
    zoo.macro(**macro)
    zoo.funding("BTC")
    return build(project, zoo)


def test_a_gapless_market_has_no_finding_for_its_gaps(kinds):
    subjects = {subject for symbol, subject, _ in kinds.findings if symbol == "BTC"}
    assert not subjects & {"gap_hours", "sentinel_session_break"}
    gaps = kinds.connection.execute(
        "select max(gap_hours) from features where symbol = 'BTC'"
    )
    assert gaps.fetchone() == (0,)


@pytest.mark.parametrize("symbol", ["BTC", "DAYS60", "HOLE", "YOUNG", "TINY", "HUGE"])
def test_a_short_or_young_or_broken_history_is_traded(kinds, symbol):
    n_trades = kinds.connection.execute(
        "select count(*) from trades where symbol = ?", [symbol]
    ).fetchone()[0]
    assert n_trades > 0


@pytest.mark.parametrize("profile", ["all_shared", "all_separate"])
def test_one_profile_trades_all_of_them(kinds, profile):
    """Listed late, ended early, holed, tiny and huge: in one wallet, and apart."""
    found = kinds.connection.execute(
        "select symbol, count(*), list(distinct exit_reason) from trades "
        "where profile = ? group by symbol",
        [profile],
    ).fetchall()
    assert {symbol for symbol, *_ in found} >= {"BTC", "DAYS60", "YOUNG", "TINY"}
    verdict, bars, visited = kinds.connection.execute(
        "select verdict, bars, bars_visited from parity_summary where profile = ?",
        [profile],
    ).fetchone()
    assert verdict == "holds"
    assert visited < bars


def test_accounts_apart_trade_as_profiles_of_one_symbol(kinds):
    """The same rules on a symbol, alone or among many: the same trades, bit for bit."""
    ((n_trades, n_apart),) = kinds.connection.execute(
        "select count(*), count_if(other.net_pnl is distinct from one.net_pnl) "
        "from trades as one left join trades as other "
        "on other.profile = 'all_separate' and one.symbol = other.symbol "
        "and one.trade_id = other.trade_id and one.entry_ts = other.entry_ts "
        "where one.profile like '%\\_eager' escape '\\'"
    ).fetchall()
    assert n_trades > 100
    assert n_apart == 0


@pytest.mark.parametrize("profile", ["all_shared", "all_separate"])
def test_a_position_in_a_symbol_that_ended_is_booked_when_that_is_seen(kinds, profile):
    """After a week without a bar, at the last close; nothing of it needs the future."""
    found = kinds.connection.execute(
        "select trades.exit_ts - last.bar_ts, trades.exit_price = last.close, "
        "(select max(bar_ts) from equity where equity.profile = trades.profile and "
        "equity.symbol = trades.symbol and position != 0) < trades.exit_ts "
        "from trades asof join bars_1h as last "
        "on trades.symbol = last.symbol and trades.exit_ts > last.bar_ts "
        "where profile = ? and exit_reason = 'delisted'",
        [profile],
    ).fetchall()
    assert found
    assert set(found) == {(timedelta(hours=168), True, True)}


def test_a_profile_without_trades_is_told_at_which_gate(kinds):
    """400 hours are too few for 20 days: no trend, so no bar is scored."""
    assert "the gate 'scored'" in kinds.meaning(
        "HOURS400", "hours400_eager", "no_trades"
    )
    verdict = kinds.connection.execute(
        "select verdict from parity_summary where symbol = 'HOURS400'"
    ).fetchone()
    assert verdict == ("vacuous",)


def test_what_is_short_young_and_holed_is_said_with_its_figures(kinds):
    assert kinds.findings["HOURS400", "bars", "short_history"][0] == 400
    assert kinds.findings["DAYS60", "bars", "short_history"][0] == 1440
    assert kinds.findings["YOUNG", "bars", "young_symbol"][0] == 210
    assert kinds.findings["HOLE", "bars", "hole"][0] == 21 * 24
    assert "504 hours" in kinds.meaning("HOLE", "bars", "hole")
    assert "symbol_ended" in kinds.kinds("DAYS60")
    assert not {"short_history", "young_symbol", "hole"} & kinds.kinds("BTC")


def test_a_symbol_without_funding_is_named(kinds):
    missing = {s for s, subject, _ in kinds.findings if subject == "FUNDING"}
    assert {"HOURS400", "TINY"} <= missing
    assert "BTC" not in {
        symbol
        for symbol, subject, kind in kinds.findings
        if (subject, kind) == ("FUNDING", "missing_series")
    }


@pytest.mark.parametrize(("symbol", "source"), [("TINY", "ETH"), ("HUGE", "BTC")])
def test_prices_of_any_size_trade_alike(kinds, symbol, source):
    """A power of two moves no bit of a score; the same decisions follow."""
    prices = kinds.connection.execute(
        "select min(low), max(high) from bars_1h where symbol = ?", [symbol]
    ).fetchone()
    assert (prices[1] < 1e-7) if symbol == "TINY" else (prices[0] > 5e6)
    differ = kinds.connection.execute(
        "select count(*), count_if(abs(one.score - other.score) > 1e-12) "
        "from scores as one inner join scores as other using (bar_ts, domain) "
        "where one.symbol = $one and other.symbol = $other",
        {"one": symbol, "other": "DAYS60" if source == "ETH" else "BTC"},
    ).fetchone()
    assert differ[0] > 1000
    assert differ[1] == 0


def test_a_market_in_which_every_profile_loses_everything_says_so(kinds):
    for profile in ("calm_1h", "calm_4h"):
        assert kinds.end_balance(profile) < 1000
        found = {kind for _, subject, kind in kinds.findings if subject == profile}
        assert found & {"ruined", "lost_nearly_all"}


def test_a_profile_that_earns_a_hundredfold_keeps_its_promise(bare):
    assert bare.end_balance("swing_eager") > 100 * 10_000


def test_a_market_without_macro_and_funding_builds_and_says_so(bare):
    assert "stays open" in bare.meaning("", "funding", "no_funding")
    assert "every macro gate is open" in bare.meaning("", "macro", "no_macro")
    assert bare.findings["BTC", "btc_eager", "unknown_regime"][0] == 1
    assert not any(kind == "missing_series" for *_, kind in bare.findings)


def test_macro_that_begins_three_years_after_the_bars_is_named_with_its_span(
    project, tmp_path
):
    # The first value of the simulated market is of 2020-01-06.
    late = with_macro(project, tmp_path, years=3.25, days_later=1520)
    days, meaning = late.findings["", "VIX", "late_series"]
    assert days >= 3 * 365
    assert "from 2024-03-0" in meaning
    assert late.findings["BTC", "btc_eager", "open_macro_gates"][0] < 0.2


def test_macro_that_ended_a_year_ago_is_named_with_its_span(project, tmp_path):
    until = "known_at < timestamptz '2021-07-01 00:00Z'"
    ended = with_macro(project, tmp_path, years=1.4, condition=until)
    hours, meaning = ended.findings["", "VIX", "ended_series"]
    assert hours >= 365 * 24
    assert "to 2021-06" in meaning
    assert "stale after 168" in meaning


def test_the_demo_shows_every_rate_and_has_no_constant_column(demo):
    """The figures of health are asserted on the market that is made to show them."""
    kinds = {
        "constant_column", "mostly_unknown_column", "mostly_unknown_score",
        "one_sided_score", "silent_sentinel", "noisy_sentinel", "silent_signal",
        "lasting_signal", "threshold_never_reached", "threshold_always_passed",
        "missing_series", "late_series", "ended_series", "no_macro", "no_funding",
    }  # fmt: skip
    rows = demo.execute("select finding, meaning from report_health").fetchall()
    assert [row for row in rows if row[0] in kinds] == []
    varying = demo.execute("select count(distinct gap_hours) from features").fetchone()
    assert varying[0] > 1
