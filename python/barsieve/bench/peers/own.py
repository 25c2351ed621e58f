"""The common rules in barsieve: the kernel of the replay, told to do nothing else."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from barsieve.bench.peers.rules import FEES_BPS, SLIPPAGE_BPS, TRADED, Sweep
from barsieve.core.numba_cache import compiled
from barsieve.profiles.rules import DEFAULTS
from barsieve.replay.kernel import replay_bars
from barsieve.replay.learned import NOTHING, make_sight
from barsieve.replay.ledger import LEG, TRADE, make_stops
from barsieve.replay.records import replaced
from barsieve.replay.state import BAR, BAR_FIELDS, END_OF_DATA

# Infinite where a rule is to be off. The balance never runs out: it risks a millionth.
RULES = DEFAULTS._replace(
    veto_limit=np.inf,
    loss_streak_trades=2**40,
    loss_streak_shift=0.0,
    cooldown_bars=0,
    max_gap_hours=np.inf,
    stop_atr=2.0,
    target_r=1.5,
    partial_at_r=np.inf,
    partial_share=0.0,
    trail_atr=np.inf,
    volume_trap_z=np.inf,
    volume_trap_atr=np.inf,
    time_stop_bars=2**40,
    vix_exit=np.inf,
    macro_exit_veto=np.inf,
    delisted_after_hours=np.inf,
    risk_min=1e-6,
    risk_max=1e-6,
    risk_cap=1.0,
    leverage=1e12,
    margin_cap=1.0,
    min_notional=0.0,
    fees_bps=FEES_BPS,
    slippage_bps=SLIPPAGE_BPS,
)
BALANCE = 1e6


def _bars_of(sweep: Sweep) -> np.recarray:
    """Return the bars as records without a signal; what no rule reads is unknown."""
    bars = np.zeros(len(sweep.bars), BAR)
    bars["has_sentinel"] = True
    for name in BAR_FIELDS:
        if bars.dtype[name] == np.float64:
            bars[name] = np.nan
    for name in ("open", "high", "low", "close"):
        bars[name] = getattr(sweep.bars, name)
    bars["index"] = np.arange(len(bars))
    bars["atr_20"] = sweep.bars.atr
    for name in ("net_veto_long", "net_veto_short", "threshold"):
        bars[name] = 0.0
    bars["confidence"] = 1.0
    return bars.view(np.recarray)


@compiled
def _write_trades(traded, n_traded, configuration, trades, legs, n_trades):
    """Copy the trades that the rules closed; entry and exit are two legs in a row."""
    for k in range(n_trades):
        trade, entry, exit_ = trades[k], legs[2 * k], legs[2 * k + 1]
        if trade.exit_reason == END_OF_DATA:
            break
        costs = entry.fee + entry.slippage + exit_.fee + exit_.slippage
        row = traded[n_traded]
        row.configuration = configuration
        row.side = trade.side
        row.entry_index = trade.entry_index
        row.exit_index = trade.exit_index
        row.entry_price = entry.price
        row.exit_price = exit_.price
        row.net = (exit_.amount - costs) / exit_.qty
        n_traded += 1
    return n_traded


@compiled
def _replay_each(
    bars,
    rules,
    crossings,
    pair,
    stop_atr,
    target_r,
    chosen,
    legs,
    trades,
    stops,
    traded,
    learned,
    memory,
):
    """Replay the chosen configurations; write their trades and return how many.

    A configuration is replayed where its own crossings are, and wherever it holds a
    position: `replay_bars` visits nothing else.
    """
    n_traded = 0
    for configuration in chosen:
        side = crossings[pair[configuration]]
        entry_bars = np.flatnonzero(side)
        for index in entry_bars:
            bars[index].side = side[index]
            bars[index].is_eligible = True
        own = replaced(
            rules, stop_atr=stop_atr[configuration], target_r=target_r[configuration]
        )
        outcome = replay_bars(
            bars, own, BALANCE, entry_bars, True, 0.0, learned, memory, memory, legs,
            trades, stops,
        )  # fmt: skip
        n_traded = _write_trades(
            traded, n_traded, configuration, trades, legs, outcome.trades
        )
        for index in entry_bars:
            bars[index].side = 0
            bars[index].is_eligible = False
    return n_traded


class Kernel:
    """The kernel with room made for every trade of a sweep, one share per thread."""

    def __init__(self, sweep: Sweep, threads: int = 1):
        """Make bars, ledgers and room for trades: inputs and outputs, not work."""
        self.sweep, self.threads = sweep, threads
        entries = np.count_nonzero(sweep.crossings, axis=1)
        numbers = np.arange(len(sweep.configurations))
        self.shares = []
        for thread in range(threads):
            chosen = numbers[thread::threads]
            room = int(entries.max()) + 1
            self.shares.append(
                (
                    _bars_of(sweep),
                    chosen,
                    np.zeros(2 * room, LEG).view(np.recarray),
                    np.zeros(room, TRADE).view(np.recarray),
                    np.zeros(int(entries[sweep.pair[chosen]].sum()) + 1, TRADED),
                )
            )

    def _replay_share(self, share) -> np.ndarray:
        bars, chosen, legs, trades, traded = share
        sweep = self.sweep
        n = _replay_each(
            bars, RULES, sweep.crossings, sweep.pair, sweep.stop_atr, sweep.target_r,
            chosen, legs, trades, make_stops(0), traded.view(np.recarray), NOTHING,
            make_sight(NOTHING),
        )  # fmt: skip
        return traded[:n]

    def _replay_all(self) -> list[np.ndarray]:
        if self.threads == 1:
            return [self._replay_share(self.shares[0])]
        with ThreadPoolExecutor(self.threads) as pool:
            return list(pool.map(self._replay_share, self.shares))

    def steps(self):
        """Yield one call, which replays every configuration."""
        yield self._replay_all

    def trades(self, found: list[np.ndarray]) -> np.ndarray:
        """Return the trades that the rules closed, of all threads."""
        return np.concatenate(found)
