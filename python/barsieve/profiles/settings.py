"""Profiles as typed values: a frozen dataclass made from a row of `config_profiles`."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import duckdb

from barsieve.profiles.rules import Rules

BPS = 1e-4


@dataclass(frozen=True)
class Profile:
    """What the replay needs of a profile; field = JSON key = column.

    Balances and notionals in USD, shares and vetoes as fractions, costs in basis points
    of a leg's notional, distances in ATR or in R, times in bars. None switches a macro
    exit off, and the gate on entries with it.
    """

    profile: str
    symbol: str
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
    vix_exit: float | None
    macro_exit_veto: float | None
    start_balance: float
    risk_min: float
    risk_max: float
    risk_cap: float
    leverage: float
    margin_cap: float
    min_notional: float
    fees_bps: float
    slippage_bps: float
    screen: str
    study_start: datetime | None = None
    study_end: datetime | None = None

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> "Profile":
        """Make a profile from a row of `config_profiles`; further columns are left."""
        return cls(**{field.name: row[field.name] for field in fields(cls)})

    def rules(self) -> Rules:
        """Return the settings as the compiled step reads them."""
        rates = {
            "fee_rate": self.fees_bps * BPS,
            "slippage_rate": self.slippage_bps * BPS,
        }
        settings = {
            name: rates[name] if name in rates else getattr(self, name)
            for name in Rules._fields
        }
        return Rules(
            **{
                name: float("nan") if value is None else value
                for name, value in settings.items()
            }
        )


def read_profiles(config_profiles: duckdb.DuckDBPyRelation) -> list[Profile]:
    """Return every profile of the relation `config_profiles`, by name."""
    ordered = config_profiles.order("profile")
    rows = [dict(zip(ordered.columns, row, strict=True)) for row in ordered.fetchall()]
    return [Profile.from_row(row) for row in rows]
