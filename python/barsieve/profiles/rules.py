"""Rules of a replay: the settings of a profile that its step reads."""

from typing import NamedTuple


class Rules(NamedTuple):
    """The settings of a profile that the replay reads; names as in its JSON file."""

    veto_limit: float
    loss_streak_trades: int
    loss_streak_shift: float
    cooldown_bars: int
    max_gap_hours: float
    stop_atr: float
    target_r: float
    partial_at_r: float
    partial_share: float
    trail_atr: float
    volume_trap_z: float
    volume_trap_atr: float
    time_stop_bars: int
    vix_exit: float
    macro_exit_veto: float
    risk_min: float
    risk_max: float
    risk_cap: float
    leverage: float
    margin_cap: float
    min_notional: float
    fee_rate: float
    slippage_rate: float
