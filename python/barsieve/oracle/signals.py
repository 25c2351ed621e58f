"""Macro signals and vetoes, one bar at a time, from a row of features."""

from decimal import Decimal
from typing import Any

from barsieve.oracle.history import Vintages

Row = dict[str, Any]

HYSTERESIS_DAYS = 250
NOTHING = Decimal(0)
# Every signal, with the features without which it cannot be known.
NEEDS = {
    "vix_risk_off": ("vix",),
    "vix_calm": ("vix",),
    "dxy_breakout": ("dxy",),
    "dxy_soft": ("dxy",),
    "move_stress": ("move",),
    "usdt_flight": ("usdt_dominance_z_60",),
    "btc_flight": ("btc_dominance",),
    "oil_dollar": ("wti", "dxy"),
    "funding_oi_trap": ("funding_rate", "oi_change_24h"),
    "total2_divergence": ("total2_share_mean_30", "total_mean_30", "btc_dominance"),
    "yield_inversion": ("yield_spread",),
    "dxy_vix_synergy": ("vix", "dxy"),
}


def was_last_above(vix: Vintages, at: float, on: float, off: float) -> bool:
    """Tell on which side of the band VIX last lay, among the last 250 days known."""
    for observation in vix.known_days(at)[:HYSTERESIS_DAYS]:
        if observation.value > on:
            return True
        if observation.value < off:
            return False
    return False


def _is_above(value: float | None, limit: float | None) -> bool:
    return value is not None and limit is not None and value > limit


def _is_below(value: float | None, limit: float | None) -> bool:
    return value is not None and limit is not None and value < limit


def _trap(row: Row, limits: Row) -> int:
    """Return 1 where the funding trap speaks against longs, -1 against shorts."""
    rate, limit = row["funding_rate"], limits["funding_oi_trap__funding_rate_above"]
    change = limits["funding_oi_trap__oi_change_24h_above"]
    if not _is_above(row["oi_change_24h"], change):
        return 0
    return 1 if _is_above(rate, limit) else -1 if _is_below(rate, -limit) else 0


def _is_divergent(row: Row, limits: Row) -> bool:
    total, mean = row["total"], row["total_mean_30"]
    return (
        _is_above(row["total2_share"], row["total2_share_mean_30"])
        and total is not None
        and mean is not None
        and total <= mean
        and _is_below(
            row["btc_dominance"], limits["total2_divergence__btc_dominance_below"]
        )
    )


def _inversion(row: Row, limits: Row) -> Decimal:
    spread = row["yield_spread"]
    if _is_above(spread, limits["yield_inversion__spread_above"]):
        return _decimal(limits["yield_inversion__veto"])
    if _is_above(spread, limits["yield_inversion__near_spread_above"]):
        return _decimal(limits["yield_inversion__near_veto"])
    return NOTHING


def _decimal(value: float) -> Decimal:
    return Decimal(repr(value))


def signal_row(row: Row, is_high: bool, limits: Row) -> dict[str, tuple[Decimal, ...]]:
    """Return veto against longs, against shorts and greenlight of every signal.

    `row` are the features of the bar, `is_high` is the state of the hysteresis, and
    `limits` the row of `config_macro_signals`.
    """
    vix, dxy = row["vix"], row["dxy"]
    holds = {
        "vix_risk_off": vix is not None and is_high,
        "dxy_breakout": _is_above(dxy, limits["dxy_breakout__dxy_above"]),
        "move_stress": _is_above(row["move"], limits["move_stress__move_above"]),
        "usdt_flight": _is_above(
            row["usdt_dominance_z_60"], limits["usdt_flight__usdt_dominance_z_above"]
        ),
        "btc_flight": _is_above(
            row["btc_dominance"], limits["btc_flight__btc_dominance_above"]
        ),
        "oil_dollar": _is_above(row["wti"], limits["oil_dollar__wti_above"])
        and _is_above(dxy, limits["oil_dollar__dxy_above"]),
        "dxy_vix_synergy": _is_above(vix, limits["dxy_vix_synergy__vix_above"])
        and _is_above(dxy, limits["dxy_vix_synergy__dxy_above"]),
    }
    lights = {
        "vix_calm": _is_below(vix, limits["vix_calm__vix_below"]),
        "dxy_soft": _is_below(dxy, limits["dxy_soft__dxy_below"]),
        "total2_divergence": _is_divergent(row, limits),
    }
    found: dict[str, tuple[Decimal, ...]] = dict.fromkeys(
        NEEDS, (NOTHING, NOTHING, NOTHING)
    )
    for name in (name for name, is_on in holds.items() if is_on):
        veto = _decimal(limits[f"{name}__veto"])
        found[name] = (veto, veto, NOTHING)
    for name in (name for name, is_on in lights.items() if is_on):
        found[name] = (NOTHING, NOTHING, _decimal(limits[f"{name}__greenlight"]))
    inversion = _inversion(row, limits)
    found["yield_inversion"] = (inversion, inversion, NOTHING)
    trap, veto = _trap(row, limits), _decimal(limits["funding_oi_trap__veto"])
    found["funding_oi_trap"] = (
        veto if trap > 0 else NOTHING,
        veto if trap < 0 else NOTHING,
        NOTHING,
    )
    return found


def veto_row(row: Row, signals: dict[str, tuple[Decimal, ...]]) -> Row:
    """Return the row of `macro_vetoes`: sums clipped to 1, and what is net of them.

    `signals` are those that a profile chose.
    """
    against_long, against_short, light = (
        min(sum((amounts[k] for amounts in signals.values()), NOTHING), Decimal(1))
        for k in range(3)
    )
    is_known = [all(row[name] is not None for name in NEEDS[s]) for s in signals]
    return {
        "veto_long": float(against_long),
        "veto_short": float(against_short),
        "greenlight": float(light),
        "net_veto_long": float(against_long - light),
        "net_veto_short": float(against_short - light),
        "macro_coverage": sum(is_known) / len(is_known) if is_known else 1.0,
    }
