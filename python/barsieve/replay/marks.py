"""Equity marked to market at every close, in one pass over bars and legs."""

import numpy as np

from barsieve.compile import compiled
from barsieve.replay.kernel import ENTRY


@compiled
def mark_to_market(closes, legs, start_balance, equity):
    """Write the equity at each close: realised balance plus the open position.

    `closes` and `equity` have shape (n_bars,); `legs` are one replay's, in order.
    """
    leg, balance, position, entry_price = 0, start_balance, 0.0, 0.0
    for index in range(len(closes)):
        while leg < len(legs) and legs[leg].index == index:
            balance += legs[leg].amount - legs[leg].fee - legs[leg].slippage
            position = legs[leg].position
            if legs[leg].kind == ENTRY:
                entry_price = legs[leg].price
            leg += 1
        equity[index] = balance + position * (closes[index] - entry_price)


@compiled
def deepest_fall(equity):
    """Return the deepest fall of a curve from its peak, as a fraction of the peak."""
    peak, fall = -np.inf, 0.0
    for index in range(len(equity)):
        peak = max(peak, equity[index])
        fall = max(fall, 1.0 - equity[index] / peak)
    return fall
