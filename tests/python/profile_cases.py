"""Profiles with the rules of the replay's cases, and what their replay reads."""

import numpy as np
import pyarrow as pa

from barsieve.profiles.settings import Profile
from barsieve.replay.runs import Inputs
from replay_cases import RULES

HOUR = 3_600_000_000
START = 1_700_006_400_000_000


def profile_named(name, **changes):
    """Return a profile with the rules of the replay's cases, costs of 15 bps."""
    settings = RULES._asdict() | {"profile": name, "symbol": "ETH", "account": "ETH"}
    settings |= {"start_balance": 10_000.0, "screen": "admissible"}
    settings |= {"fees_bps": 10.0, "slippage_bps": 5.0}
    return Profile.from_row(settings | changes)


def inputs_of(bars, **changes):
    since = np.nan_to_num(bars.hours_since, nan=1.0).astype(np.int64)
    hours = np.cumsum(since) - since[:1]
    opens = pa.array(START + HOUR * hours, pa.timestamp("us", "UTC"))
    closes = pa.array(START + HOUR * (hours + 1), opens.type)
    everywhere, nowhere = np.ones(len(bars), bool), np.empty(0, np.int64)
    profile = profile_named("test", **changes)
    return Inputs(profile, bars, opens, closes, everywhere, nowhere)
