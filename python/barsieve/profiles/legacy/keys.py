"""Keys of a Bull Machine v1.8 config: what they meant, and what they are here.

Read from what the legacy system did with a key, not from what its name promises: many
were never read, some were read at another place than where the files have them.
"""

from typing import Any, NamedTuple


class Carried(NamedTuple):
    """A setting that we have too: the keys of the profile that take its value."""

    to: tuple[str, ...]
    note: str = ""


class Fixed(NamedTuple):
    """A rule that cannot be set here; the legacy value either agrees or does not."""

    value: object
    note: str


class Shared(NamedTuple):
    """A threshold of a macro signal, one for all profiles; `scale` makes our unit."""

    to: tuple[str, ...]
    scale: float = 1.0


class Unread(NamedTuple):
    """A key that the legacy system never read: it had no effect."""

    note: str


class Missing(NamedTuple):
    """A key that had an effect and has no counterpart here."""

    note: str


class Switched(NamedTuple):
    """A key of an engine that worked only where the key `switch` was true."""

    switch: str
    note: str


Rule = Carried | Fixed | Shared | Unread | Missing | Switched

# Domains that a weight may name, and the names that files give them.
WEIGHT_SECTIONS = (("fusion", "weights"), ("fusion", "domain_weights"), ("weights",))
WEIGHT_NAMES = {
    "wyckoff": "wyckoff",
    "liquidity": "liquidity",
    "hob": "liquidity",
    "smc": "smc",
    "momentum": "momentum",
    "temporal": "temporal",
}
NO_DOMAIN = {
    "macro": "macro is no domain: it vetoes, and its weight was never read",
    "macro_context": "macro is no domain: it vetoes, and its weight was never read",
}

# What a weight did then and does now, where that differs.
WEIGHT_NOTES = {"temporal": "no part of the legacy score; it counts here"}

# Keys that describe, anywhere in a file.
LABELS = (
    "version", "note", "notes", "description", "comment", "comments", "author", "date",
    "created", "optimization_date",
)  # fmt: skip

_EXITS = "pnl_tracker.exits"
_LABEL = Unread("a label")
_TOP_LEVEL = Unread("it was looked for at the top level only, never here")
_NO_FAST = "fast signals are no part of barsieve: fusion alone decides entries"

RULES: dict[str, Rule] = {
    "asset": Carried(("symbols",), "a list: a profile may trade several"),
    "symbol": Carried(("symbols",), "a list: a profile may trade several"),
    "profile": Unread("a label; the profile is named after its file"),
    # Entries.
    "fusion.entry_threshold_confidence": Carried(("entry.entry_threshold",)),
    "fusion.entry_threshold": Carried(("entry.entry_threshold",)),
    "fusion.full_engine_validation_interval_bars": Unread(
        "it had to be there, and then 4 hours were fixed; here entry.cadence says"
    ),
    **{
        f"fusion.{key}": Switched("fusion.fourier_enabled", "no Fourier filter here")
        for key in (
            "fourier_enabled",
            "fourier_multiplier",
            "window_size",
            "low_freq_cutoff",
        )
    },
    "safety.loss_streak_threshold": Carried(
        ("entry.loss_streak_trades",), "losses were never counted then; they are here"
    ),
    "safety.atr_floor_percentile": Carried(("entry.atr_rank_floor",)),
    "safety.atr_cap_percentile": Carried(("entry.atr_rank_cap",)),
    "mtf.require_alignment": Carried(("entry.alignment_required",)),
    "mtf.nested_threshold": Fixed(0.02, "a pullback lies within 2 % of sma_20_4h"),
    "mtf.timeframes": Unread("1 h, 4 h and 1 d were fixed"),
    "fast_signals.mode": Fixed("fusion_only", _NO_FAST),
    **{
        f"fast_signals.{key}": Switched("fast_signals.enabled", _NO_FAST)
        for key in ("enabled", "min_confidence")
    },
    **{
        f"fast_signals.{key}": Unread("fixed in the code, whatever the file said")
        for key in (
            "adx_threshold",
            "rsi_overbought",
            "rsi_oversold",
            "price_extension_pct",
        )
    },
    # Macro.
    "context.macro_veto_threshold": Carried(("entry.veto_limit",)),
    "context.vix_regime_switch_threshold": Shared(("vix_risk_off.vix_on_above",)),
    "context.vix_calm_threshold": Shared(("vix_calm.vix_below",)),
    "context.move_threshold": Shared(("move_stress.move_above",)),
    "context.dxy_breakout_threshold": Shared(("dxy_breakout.dxy_above",)),
    "context.dxy_bullish_threshold": Shared(("dxy_soft.dxy_below",)),
    "context.btc_dominance_threshold": Shared(
        ("btc_flight.btc_dominance_above",), 100.0
    ),
    **{
        f"context.{key}": Unread(f"never read; here {ours} of all profiles decides")
        for key, ours in {
            "vix_hysteresis.on": "vix_risk_off.vix_on_above",
            "vix_hysteresis.off": "vix_risk_off.vix_off_below",
            "move_panic_threshold": "move_stress.move_above",
            "dxy_extreme_threshold": "dxy_breakout.dxy_above",
        }.items()
    },
    **{
        f"context.{key}": Unread("never read")
        for key in (
            "vix_panic_threshold",
            "funding_weight_cap",
            "move_weight_cap",
            "crisis_fuse.*",
        )
    },
    **{
        f"context.{key}": Missing("no such macro signal here")
        for key in (
            "gold_cycle_high",
            "wti_low_threshold",
            "yield_inversion_threshold",
            "eurusd_bullish_threshold",
            "stablecoin_dominance_threshold",
            "funding_max",
            "oi_spot_max",
            "total3_lag_threshold",
        )
    },
    # Exits.
    "pnl_tracker.stop_buffer_multiplier": Carried(("exits.stop_atr",)),
    "pnl_tracker.r_multiple_target": Carried(("exits.target_r",)),
    "pnl_tracker.atr_period": Fixed(20, "stops are measured in atr_20"),
    f"{_EXITS}.scale_out_rr": Carried(("exits.partial_at_r",)),
    f"{_EXITS}.scale_out_pct": Carried(("exits.partial_share",)),
    f"{_EXITS}.trail_atr_mult": Carried(("exits.trail_atr",)),
    f"{_EXITS}.liquidity_z_min": Carried(("exits.volume_trap_z",)),
    f"{_EXITS}.macro_exit_threshold": Carried(("exits.macro_exit_veto",)),
    f"{_EXITS}.vix_exit_level": Carried(("exits.vix_exit",)),
    f"{_EXITS}.max_bars_in_trade": Carried(("exits.time_stop_bars",)),
    f"{_EXITS}.enable_partial": Fixed(True, "a partial is always taken"),
    f"{_EXITS}.move_sl_to_be_on_tp1": Fixed(True, "the stop goes to break-even then"),
    f"{_EXITS}.trail_after_tp1": Fixed(True, "the stop trails after the partial"),
    f"{_EXITS}.trail_mode": Fixed("atr", "the trail is measured in ATR"),
    f"{_EXITS}.regime_adaptive": Fixed(True, "the ADX widens and narrows the stop"),
    f"{_EXITS}.adx_period": Fixed(14, "adx_14_4h"),
    f"{_EXITS}.adx_trend_hi": Fixed(25, "a trend has adx_14_4h above 25"),
    f"{_EXITS}.adx_range_lo": Fixed(20, "a range has adx_14_4h below 20"),
    f"{_EXITS}.range_stop_factor": Fixed(0.75, "stops in a range are 0.75 as wide"),
    f"{_EXITS}.trend_stop_factor": Fixed(1.25, "stops in a trend are 1.25 as wide"),
    f"{_EXITS}.liquidity_trap_protect": Fixed(True, "a volume trap pulls the stop"),
    f"{_EXITS}.liquidity_lookback": Fixed(20, "volume_z_20"),
    f"{_EXITS}.macro_exit_enabled": Fixed(True, "macro exits are always on"),
    # Size and costs.
    "pnl_tracker.leverage": Carried(("risk.leverage",)),
    "pnl_tracker.max_margin_util": Carried(("risk.margin_cap",)),
    "pnl_tracker.fees_bps": Carried(("costs.fees_bps",)),
    "pnl_tracker.slippage_bps": Carried(("costs.slippage_bps",)),
    "pnl_tracker.risk_per_trade": Unread("set and never used: risk follows confidence"),
    "pnl_tracker.funding_rate_bps": Unread("funding comes from the market"),
    "pnl_tracker.position_sizing.*": _TOP_LEVEL,
    "position_sizing.min_risk_per_trade": Carried(("risk.risk_min",)),
    "position_sizing.max_risk_per_trade": Carried(
        ("risk.risk_max", "risk.risk_cap"), "it was the greatest risk and the cap"
    ),
    "risk.*": Unread("size comes from pnl_tracker; this section was never used"),
    "entries.*": Unread("never read"),
    # The screen.
    "batch_mode.candidate_window_bars": Carried(("screen.candidate_window_bars",)),
    "batch_mode.enabled": Unread("a command-line option decided; see screen.method"),
    "batch_mode.min_fusion_score": Fixed(0.35, "the sentinel screen's proto-fusion"),
    "batch_mode.min_adx": Fixed(22, "the sentinel screen's adx_14_4h"),
    "batch_mode.sentinels": Missing("a sentinel screen here uses every sentinel"),
    "batch_mode.indicator_warmup_bars": Missing("features use all history here"),
    "batch_mode.coverage_threshold": Missing(
        "no fall-back to full replay: parity says"
    ),
    "batch_mode.density_threshold": Missing("no fall-back to full replay: parity says"),
    # Engines of their own.
    "liquidity.*": Switched("liquidity.negative_fibs_enabled", "no such levels here"),
    "events.*": Switched("events.calendar_enabled", "no calendar of events here"),
    "narrative.*": Switched("narrative.narrative_enabled", "no such traps here"),
    "temporal.*": Switched("temporal.enabled", "temporal is a domain of its own here"),
    "macro_fusion.*": Unread("it read a cache that nothing filled"),
    "features.*": Unread("never read"),
    "domains.*": Unread("v1.8 reads fusion.weights; its engines fixed the rest"),
    "ml_metadata.*": _LABEL,
    "backtest_performance.*": _LABEL,
}

# Before there was a pnl_tracker these decided; they meant something else then.
WITHOUT_PNL_TRACKER: dict[str, Rule] = {
    "exits.atr_k": Missing(
        "ATR beyond the last swing; exits.stop_atr is from the entry"
    ),
    "exits.tp1_r": Missing("R of the only target; see exits.target_r"),
    "exits.*": Unread("never read"),
}
WITH_PNL_TRACKER: dict[str, Rule] = {
    "exits.*": Unread("pnl_tracker decides; this section was left from before"),
}
FUSION_ONLY: dict[str, Rule] = {
    f"fast_signals.{key}": Unread("fusion_only: fusion alone decides, as here")
    for key in ("enabled", "min_confidence")
}


def value_at(document: object, path: tuple[str, ...]) -> object:
    """Return the value at a path of keys; None where there is none."""
    for key in path:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def rules_for(document: dict[str, Any]) -> dict[tuple[str, ...], Rule]:
    """Return the rules by path, as a document's own switches select them."""
    has_tracker = isinstance(document.get("pnl_tracker"), dict)
    rules = RULES | (WITH_PNL_TRACKER if has_tracker else WITHOUT_PNL_TRACKER)
    if value_at(document, ("fast_signals", "mode")) == "fusion_only":
        rules = rules | FUSION_ONLY
    return {tuple(key.split(".")): rule for key, rule in rules.items()}


def rule_of(path: tuple[str, ...], rules: dict[tuple[str, ...], Rule]) -> Rule | None:
    """Return the rule of a path: its own, else that of the nearest section."""
    if path in rules:
        return rules[path]
    for length in range(len(path) - 1, 0, -1):
        if (*path[:length], "*") in rules:
            return rules[(*path[:length], "*")]
    return None
