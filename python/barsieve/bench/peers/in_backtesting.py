"""The common rules in backtesting.py: a strategy that orders one unit with a bracket.

backtesting.py takes the prices of stop and target when an order is placed, before its
fill is known, and tests them on the bar of the fill only when it has them by then. So
the strategy is handed brackets that were computed from the next open. That is knowledge
it would not have; it uses it for nothing but to say "so far from my fill".
"""

import warnings
from contextlib import redirect_stderr
from io import StringIO

import numpy as np
import pandas as pd

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from backtesting import Backtest, Strategy

from barsieve.bench.peers.rules import FEE_RATE, SLIPPAGE_RATE, TRADED, Sweep

COST_RATE = FEE_RATE + SLIPPAGE_RATE


class _Crossing(Strategy):
    """Reverse at each crossing; arrays are set by `_strategy`."""

    sides: list[int]
    stops: list[float]
    targets: list[float]

    def init(self):
        """Have nothing to prepare."""

    def next(self):
        """Decide at a close what the next open shall fill."""
        i = len(self.data) - 1
        side = self.sides[i]
        if side == 0 or self.position.size * side > 0:
            return
        self.position.close()
        order = self.buy if side > 0 else self.sell
        order(size=1, sl=self.stops[i], tp=self.targets[i])


def _strategy(sweep: Sweep, configuration: int) -> type[_Crossing]:
    """Return the strategy of a configuration; a bracket lies around the next open."""
    bars = sweep.bars
    sides = sweep.crossings[sweep.pair[configuration]]
    fills = np.concatenate([bars.open[1:], [np.nan]])
    distance = sweep.stop_atr[configuration] * bars.atr
    # The last close orders what is never filled: any bracket around it will do.
    fills[-1] = bars.close[-1]
    target_r = sweep.target_r[configuration]
    return type(
        "Crossing",
        (_Crossing,),
        {
            "sides": sides.tolist(),
            "stops": (fills - sides * distance).tolist(),
            "targets": (fills + sides * target_r * distance).tolist(),
        },
    )


class Backtests:
    """A sweep as one backtest per configuration."""

    def __init__(self, sweep: Sweep):
        """Make the frame of bars and the strategies."""
        bars = sweep.bars
        self.frame = pd.DataFrame(
            {
                "Open": bars.open,
                "High": bars.high,
                "Low": bars.low,
                "Close": bars.close,
            },
            index=pd.DatetimeIndex(bars.ts),
        )
        self.strategies = [
            _strategy(sweep, i) for i in range(len(sweep.configurations))
        ]

    def steps(self):
        """Yield a call for each configuration; it gives its number and its trades."""
        for number, strategy in enumerate(self.strategies):
            yield lambda number=number, strategy=strategy: (
                number,
                self._run(strategy),
            )

    def _run(self, strategy: type[_Crossing]) -> pd.DataFrame:
        backtest = Backtest(self.frame, strategy, cash=1e12, commission=COST_RATE)
        # It warns of a trade left open at the end and draws a progress bar of its own.
        with warnings.catch_warnings(), redirect_stderr(StringIO()):
            warnings.simplefilter("ignore")
            return backtest.run()["_trades"]

    def trades(self, found) -> np.ndarray:
        """Return the trades of a configuration that the rules closed."""
        number, rows = found
        traded = np.empty(len(rows), TRADED)
        traded["configuration"] = number
        traded["side"] = np.sign(rows["Size"])
        traded["entry_index"] = rows["EntryBar"]
        traded["exit_index"] = rows["ExitBar"]
        traded["entry_price"] = rows["EntryPrice"]
        traded["exit_price"] = rows["ExitPrice"]
        # What it calls PnL depends on its version: with or without commission.
        gross = rows["Size"] * (rows["ExitPrice"] - rows["EntryPrice"])
        traded["net"] = (gross - rows["Commission"]) / rows["Size"].abs()
        return traded
