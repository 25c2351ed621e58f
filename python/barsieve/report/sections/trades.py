"""Every trade of the full replay: why it was entered, why it was left."""

from typing import Any

import numpy as np

from barsieve.report.section import Section
from barsieve.report.source import Entry, Source, figures_key, is_whole
from barsieve.report.text import number

TRADES = """
    with
    partials as (
        select
            trade_id,
            min(ts) as partial_ts,
            arg_min(price, leg) as partial_price,
            sum(qty) as partial_qty,
        from trade_legs
        where profile = $profile and symbol = $symbol and kind = 'partial'
        group by trade_id
    ),
    opinions as (
        select trades.trade_id, map(list(domain), list(score)) as scores,
        from trades inner join scores
            on scores.symbol = trades.symbol and scores.bar_ts = trades.decision_ts
        where profile = $profile and trades.symbol = $symbol
        group by trades.trade_id
    )
    select
        trades.*,
        decisions.streak_shift,
        decisions.risk_distance,
        partials.* exclude (trade_id),
        fusion.* exclude (
            profile, symbol, bar_ts, bar_index, side, confidence, regime, threshold,
            weights
        ),
        opinions.scores,
        features.atr_rank_100,
        features.vix,
        candidates.reason as sentinels,
        candidates.bar_ts is not null as is_on_candidate,
    from trades
    left join trade_decisions as decisions using (profile, symbol, trade_id)
    left join partials using (trade_id)
    left join fusion_scores as fusion
        on fusion.profile = trades.profile and fusion.symbol = trades.symbol
        and fusion.bar_ts = trades.decision_ts
    left join opinions using (trade_id)
    left join features
        on features.symbol = trades.symbol and features.bar_ts = trades.decision_ts
    left join candidates
        on candidates.profile = trades.profile and candidates.symbol = trades.symbol
        and candidates.bar_ts = trades.decision_ts and candidates.side = trades.side
    where trades.profile = $profile and trades.symbol = $symbol
    order by trades.trade_id
"""
VOTES = """
    select votes from trade_decisions
    where profile = $profile and symbol = $symbol
    order by trade_id
"""

REASONS = """
    select why_left, gates
    from trade_reasons where profile = $profile and symbol = $symbol
    order by trade_id
"""

STOPS = """
    select trade_id, epoch(bar_ts) as at, stop, reason
    from trade_stops where profile = $profile and symbol = $symbol
    order by trade_id, bar_ts
"""

SIGNALS = """
    select
        trade_id,
        signal,
        case side when 'long' then veto_long else veto_short end as veto,
        greenlight,
    from trades inner join macro_signals
        on macro_signals.symbol = trades.symbol and bar_ts = decision_ts
    where profile = $profile and trades.symbol = $symbol
    order by trade_id, signal
"""

# The last trades of all symbols; each is told where its symbol is.
LISTED = """
    from (
        from trades where profile = $profile
        order by entry_ts desc, symbol desc, trade_id desc limit $most
    )
    order by entry_ts, symbol, trade_id
"""
MOST_LISTED = 3000
STORIES = (
    "A trade opens where its symbol is shown alone, with the price and its reasons."
)
COUNT = "select count(*) as trades from trades where profile = $profile"
TIMES_LISTED, TEXTS_LISTED = ("entry_ts", "exit_ts"), ("symbol", "side", "exit_reason")
WHOLE_LISTED = ("trade_id", "bars_held")
EXACT_LISTED = (
    "entry_price", "exit_price", "confidence", "gross_pnl", "fees", "slippage",
    "funding", "net_pnl", "r_multiple",
)  # fmt: skip

TIMES = ("decision_ts", "entry_ts", "exit_ts", "partial_ts")
TEXTS = ("side", "exit_reason", "regime", "sentinels")
WHOLE = (
    "trade_id", "bars_held", "votes_long", "votes_short", "domains_used", "is_aligned",
    "is_on_candidate", "loss_streak", "is_macro_exit",
)  # fmt: skip
EXACT = (
    "entry_price", "exit_price", "qty", "gross_pnl", "fees", "slippage", "funding",
    "net_pnl", "r_multiple", "mae_r", "mfe_r", "confidence", "risk_distance",
    "partial_price", "partial_qty", "fusion_score", "alignment", "entry_threshold",
    "regime_shift", "threshold", "streak_shift", "net_veto", "vix", "shortfall",
    "macro_coverage", "atr_rank_100",
)  # fmt: skip


def _numbers(rows: list[dict[str, Any]], name: str) -> np.ndarray:
    return np.array([np.nan if row[name] is None else row[name] for row in rows], float)


def _of_domains(
    rows: list[dict[str, Any]], name: str, domains: list[str]
) -> dict[str, np.ndarray]:
    """Return, by domain, one of the maps of the trades."""
    return {
        d: np.array([(row[name] or {}).get(d) for row in rows], float) for d in domains
    }


def _view(vote: str | None) -> str | None:
    return None if vote == "none" else vote


def _told(source: Source, key: dict[str, Any], domains: list[str]) -> dict[str, Any]:
    """Return in words what was voted and asked at each trade's entry, and its end."""
    pack, votes = source.pack, source.rows(VOTES, **key)
    rows = source.rows(REASONS, **key)
    by_gate = list(zip(*(row["gates"] for row in rows), strict=True))
    return {
        "votes": {
            d: pack.texts([_view(row["votes"].get(d)) for row in votes])
            for d in domains
        },
        "why_left": pack.lines([row["why_left"] for row in rows]),
        "gates": [
            {
                "gate": gates[0]["gate"],
                "asks": pack.texts([gate["asks"] for gate in gates]),
                "found": pack.lines([gate["found"] for gate in gates]),
                "passed": pack.rounded(np.array([gate["passed"] for gate in gates]), 0),
            }
            for gates in by_gate
        ],
    }


def _listed(source: Source, profile: Entry) -> dict[str, Any]:
    """Return the trades of all symbols, without their stories."""
    pack, name = source.pack, profile["profile"]
    rows = source.rows(LISTED, profile=name, most=MOST_LISTED)
    count = source.rows(COUNT, profile=name)[0]["trades"]
    left_out = f"The last {number(len(rows))} of {number(count)} trades. "
    return {
        "note": left_out * (count > len(rows)) + STORIES,
        "columns": {
            **{
                k: pack.rounded(_numbers(rows, k), 0)
                for k in (*TIMES_LISTED, *WHOLE_LISTED)
            },
            **{k: pack.exact(_numbers(rows, k)) for k in EXACT_LISTED},
            **{k: pack.texts([row[k] for row in rows]) for k in TEXTS_LISTED},
        },
    }


def _profile(source: Source, profile: Entry) -> dict[str, Any]:
    if is_whole(profile):
        return _listed(source, profile)
    pack, key = source.pack, figures_key(profile)
    rows = source.rows(TRADES, **key)
    stops = source.rows(STOPS, **key)
    signals = source.rows(SIGNALS, **key)
    domains = list(profile["weights"])
    scores = _of_domains(rows, "scores", domains)
    weights = _of_domains(rows, "weights", domains)
    return {
        "note": "",
        "domains": domains,
        "columns": {
            **{k: pack.rounded(_numbers(rows, k), 0) for k in (*TIMES, *WHOLE)},
            **{k: pack.exact(_numbers(rows, k)) for k in EXACT},
            **{f"score_{d}": pack.exact(scores[d]) for d in domains},
            **{f"weight_{d}": pack.exact(weights[d]) for d in domains},
            **{k: pack.texts([row[k] for row in rows]) for k in TEXTS},
        },
        "told": _told(source, key, domains),
        "stops": {
            "trade_id": pack.rounded(_numbers(stops, "trade_id"), 0),
            "at": pack.rounded(_numbers(stops, "at"), 0),
            "stop": pack.exact(_numbers(stops, "stop")),
            "reason": pack.texts([row["reason"] for row in stops]),
        },
        "signals": {
            "trade_id": pack.rounded(_numbers(signals, "trade_id"), 0),
            "signal": pack.texts([row["signal"] for row in signals]),
            "veto": pack.rounded(_numbers(signals, "veto"), 4),
            "greenlight": pack.rounded(_numbers(signals, "greenlight"), 4),
        },
    }


def collect(source: Source) -> dict[str, Any]:
    """Return the trades by entry, with scores, votes, gates, signals and stops."""
    return {"profiles": [_profile(source, profile) for profile in source.profiles]}


SECTION = Section(
    "trades",
    "Trades",
    (
        "trades", "trade_legs", "trade_stops", "trade_decisions", "trade_reasons",
        "scores", "fusion_scores",
        "features", "macro_signals", "candidates",
    ),
    collect,
)  # fmt: skip
