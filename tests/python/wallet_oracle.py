"""A wallet in plain Python, written from the domain document: slow, and nothing shared.

Sections 7, 13 and 15: one account, objects that change, a loop over the hours. It does
each sum in the order in which the document writes it, so that floats are compared as
they are.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from math import isnan

from barsieve.replay.state import BAR
from replay_cases import fee_rate, legacy_or_sized, slippage_rate


@dataclass
class Order:
    """An entry ordered at a close."""

    side: int
    row: int
    confidence: float
    distance: float
    share: float
    threshold: float
    streak: int


@dataclass
class Trade:
    """A trade, open until it has a reason."""

    number: int
    symbol: int
    order: Order
    row: int
    price: float
    qty: float
    left: float
    stop: float
    target: float
    stop_name: str = "stop"
    has_partial: bool = False
    bars_held: int = 0
    net: float = 0.0
    exit_row: int = -1
    reason: str = ""
    shift_after: float = 0.0
    shortfall: float = 0.0

    @property
    def side(self) -> int:
        return self.order.side


@dataclass
class Symbol:
    """A symbol: its bars by hour, its latest, and what is open or ordered of it."""

    number: int
    bars: dict
    bar: dict | None = None
    hour: int = -1
    trade: Trade | None = None
    exit_order: str = ""
    has_partial_order: bool = False
    entry_order: Order | None = None
    last_exit_row: int | None = None
    counts: dict = field(
        default_factory=lambda: {"refused": 0, "no_room": 0, "lapsed": 0}
    )

    def forget_orders(self):
        self.exit_order, self.has_partial_order, self.entry_order = "", False, None


class WalletOracle:
    """One account over many symbols."""

    def __init__(self, case):
        self.rules, self.balance, self.streak = case.rules, case.balance, 0
        self.peak = case.balance
        self.trades, self.legs, self.stops = [], [], []
        self.liquidated, self.ended, self.ended_now = 0, [], []
        self.symbols = []
        for number in range(len(case.first) - 1):
            rows = range(case.first[number], case.first[number + 1])
            bars = {
                int(case.hours[row]): {n: case.bars[row][n].item() for n in BAR.names}
                for row in rows
            }
            self.symbols.append(Symbol(number, bars))

    def replay(self):
        for hour in sorted({hour for s in self.symbols for hour in s.bars}):
            self.hour_of(hour)
        self.held = [(s.trade, s.entry_order, s.exit_order) for s in self.symbols]
        self.shift = self.threshold_shift()
        for symbol in self.symbols:
            if symbol.trade:
                self.close(symbol, symbol.bar["close"], "end_of_data")
        self.tell_shift()
        return self

    def hour_of(self, hour):
        limit = self.rules.delisted_after_hours
        for symbol in self.symbols:
            if symbol.trade and hour - symbol.hour >= limit:
                self.close(symbol, symbol.bar["close"], "delisted")
                symbol.forget_orders()
        present = [symbol for symbol in self.symbols if hour in symbol.bars]
        for symbol in present:
            symbol.bar, symbol.hour = symbol.bars[hour], hour
        for symbol in present:
            self.pay_funding(symbol)
            self.fill_exits(symbol)
        ordered = [symbol for symbol in present if symbol.entry_order]
        for symbol in sorted(ordered, key=lambda s: -s.entry_order.confidence):
            self.enter(symbol)
        for symbol in present:
            symbol.forget_orders()
            if symbol.trade:
                self.test_stop_and_target(symbol)
        if self.is_lost():
            self.lose_all(hour)
        else:
            for symbol in present:
                self.decide(symbol)
        self.tell_shift()

    def tell_shift(self):
        """Tell what ended what the streak adds, once all ends of an hour are known."""
        for trade in self.ended_now:
            trade.shift_after = self.threshold_shift()
        self.ended_now = []

    # Money.

    def net_of(self, qty, price, amount):
        notional = qty * price
        fee = notional * fee_rate(self.rules)
        slippage = notional * slippage_rate(self.rules)
        return amount - fee - slippage, fee, slippage

    def book(self, trade, kind, row, price, qty, amount, is_free=False):
        net, fee, slippage = (
            (amount, 0.0, 0.0) if is_free else self.net_of(qty, price, amount)
        )
        self.balance += net
        trade.net += net
        held = trade.side * trade.left
        self.legs.append(
            [trade.number, kind, row, price, qty, amount, fee, slippage, held,
             self.balance, len(self.legs)]
        )  # fmt: skip

    def gain(self, trade, price, qty):
        moved = price - trade.price if trade.side == 1 else trade.price - price
        return moved * qty

    def close(self, symbol, price, reason):
        trade = symbol.trade
        qty, amount = trade.left, self.gain(trade, price, trade.left)
        trade.left = 0.0
        self.book(trade, "exit", symbol.bar["index"], price, qty, amount)
        trade.exit_row, trade.reason = symbol.bar["index"], reason
        self.ended.append(trade)
        self.ended_now.append(trade)
        self.peak = max(self.peak, self.balance)
        self.streak = 0 if trade.net > 0 else self.streak + 1
        symbol.last_exit_row, symbol.trade = symbol.bar["index"], None

    # 1.

    def pay_funding(self, symbol):
        rate, trade = symbol.bar["funding_settled"], symbol.trade
        if trade and not isnan(rate) and rate != 0:
            price = symbol.bar["open"]
            paid = rate * trade.left * price
            amount = -paid if trade.side == 1 else paid
            self.book(
                trade, "funding", symbol.bar["index"], price, trade.left, amount, True
            )

    def fill_exits(self, symbol):
        trade, price = symbol.trade, symbol.bar["open"]
        if symbol.exit_order:
            self.close(symbol, price, symbol.exit_order)
        elif symbol.has_partial_order:
            qty = self.rules.partial_share * trade.qty
            trade.left -= qty
            amount = self.gain(trade, price, qty)
            self.book(trade, "partial", symbol.bar["index"], price, qty, amount)
            trade.has_partial = True

    # 2.

    def open_trades(self):
        return [symbol.trade for symbol in self.symbols if symbol.trade]

    def enter(self, symbol):
        rules, order, bar = self.rules, symbol.entry_order, symbol.bar
        price, counts = bar["open"], symbol.counts
        if bar["hours_since"] > rules.max_gap_hours:
            counts["lapsed"] += 1
            return
        others = self.open_trades()
        if len(others) >= rules.max_positions:
            counts["no_room"] += 1
            return
        balance = max(self.balance, 0.0)
        bound = sum((t.price * t.left / rules.leverage for t in others), 0.0)
        by_risk = balance * order.share / order.distance
        free = rules.margin_cap * balance - bound
        qty = min(by_risk, free * rules.leverage / price)
        alone = min(by_risk, rules.margin_cap * balance * rules.leverage / price)
        if self.is_too_small(qty, price):
            is_crowded = not self.is_too_small(alone, price)
            counts["no_room" if is_crowded else "refused"] += 1
            return
        _, fee, slippage = self.net_of(qty, price, 0.0)
        if fee + slippage >= self.balance:
            counts["refused"] += 1
            return
        symbol.trade = Trade(
            len(self.trades), symbol.number, order, bar["index"], price, qty, qty,
            price - order.side * order.distance,
            price + order.side * rules.target_r * order.distance,
        )  # fmt: skip
        self.trades.append(symbol.trade)
        self.book(symbol.trade, "entry", bar["index"], price, qty, 0.0)

    def is_too_small(self, qty, price):
        largest = self.rules.margin_cap * self.balance * self.rules.leverage
        is_ruined = self.balance <= 0 or largest < self.rules.min_notional
        return is_ruined or qty <= 0 or qty * price < self.rules.min_notional

    # 3.

    def test_stop_and_target(self, symbol):
        trade, bar = symbol.trade, symbol.bar
        written = [stop for stop in self.stops if stop[0] == trade.number]
        if not written or written[-1][2] != trade.stop:
            self.stops.append((trade.number, bar["index"], trade.stop, trade.stop_name))
        is_long = trade.side == 1
        worst, best = ("low", "high") if is_long else ("high", "low")

        def is_beyond(price, level):
            return price <= level if is_long else price >= level

        def is_within(price, level):
            return price >= level if is_long else price <= level

        if is_beyond(bar["open"], trade.stop):
            self.close(symbol, bar["open"], trade.stop_name)
        elif is_within(bar["open"], trade.target):
            self.close(symbol, bar["open"], "target")
        elif is_beyond(bar[worst], trade.stop):
            self.close(symbol, trade.stop, trade.stop_name)
        elif is_within(bar[best], trade.target):
            self.close(symbol, trade.target, "target")

    # 4.

    def is_lost(self):
        equity = self.balance
        for symbol in self.symbols:
            if symbol.trade:
                trade, close = symbol.trade, symbol.bar["close"]
                gain = self.gain(trade, close, trade.left)
                equity += self.net_of(trade.left, close, gain)[0]
        return equity <= 0 if self.open_trades() else self.balance < 0

    def lose_all(self, hour):
        self.liquidated += 1
        for symbol in self.symbols:
            if symbol.trade:
                symbol.trade.bars_held += symbol.hour == hour
                self.close(symbol, symbol.bar["close"], "liquidation")
            symbol.forget_orders()
        self.ended[-1].shortfall = -self.balance
        self.balance = 0.0
        self.legs[-1][9] = 0.0

    def threshold_shift(self):
        is_streak = self.streak >= self.rules.loss_streak_trades
        return self.rules.loss_streak_shift if is_streak else 0.0

    def threshold_at(self, bar):
        shift = Decimal(repr(self.threshold_shift()))
        return float(Decimal(repr(bar["threshold"])) + shift)

    def is_barred(self, side, bar):
        veto = bar["net_veto_long"] if side == 1 else bar["net_veto_short"]
        is_left = (
            veto >= self.rules.macro_exit_veto or bar["vix"] >= self.rules.vix_exit
        )
        return veto, is_left

    def signal_of(self, bar):
        side = bar["side"]
        veto, is_left = self.is_barred(side, bar)
        is_taken = (
            bar["is_eligible"]
            and bar["has_sentinel"]
            and side != 0
            and self.rules.sides in (0, side)
            and bar["confidence"] >= self.threshold_at(bar)
            and veto < self.rules.veto_limit
            and not is_left
        )
        return side if is_taken else 0

    def decide(self, symbol):
        rules, bar, trade = self.rules, symbol.bar, symbol.trade
        signal = self.signal_of(bar)
        if trade:
            self.manage(symbol, signal)
            may_enter = signal == -trade.side
        else:
            last = symbol.last_exit_row
            may_enter = last is None or bar["index"] - last >= rules.cooldown_bars
        atr, adx = bar["atr_20"], bar["adx_14_4h"]
        if not signal or not may_enter or isnan(atr) or atr <= 0:
            return
        share = rules.risk_min + (rules.risk_max - rules.risk_min) * bar["confidence"]
        room = 1.0
        if adx < 20:
            room, share = 0.75, share * 0.5
        elif adx > 25:
            room, share = 1.25, share * 1.5
        distance = rules.stop_atr * atr * room
        share = legacy_or_sized(
            rules, bar, distance, self.balance, self.peak, min(share, rules.risk_cap)
        )
        symbol.entry_order = Order(
            signal, bar["index"], bar["confidence"], distance, share,
            self.threshold_at(bar), self.streak,
        )  # fmt: skip

    def manage(self, symbol, signal):
        rules, bar, trade = self.rules, symbol.bar, symbol.trade
        close, atr, side = bar["close"], bar["atr_20"], trade.side
        trade.bars_held += 1
        profit = close - trade.price if side == 1 else trade.price - close
        needed = rules.partial_at_r * trade.order.distance
        is_at_partial = not trade.has_partial and profit >= needed
        if is_at_partial:
            self.tighten(trade, trade.price, "break_even")
        if not isnan(atr):
            if trade.has_partial:
                self.tighten(trade, close - side * rules.trail_atr * atr, "trail")
            if bar["volume_z_20"] > rules.volume_trap_z:
                trap = close - side * rules.volume_trap_atr * atr
                self.tighten(trade, trap, "volume_trap")
        if self.is_barred(side, bar)[1]:
            symbol.exit_order = "macro"
        elif trade.bars_held >= rules.time_stop_bars:
            symbol.exit_order = "time"
        elif signal == -side:
            symbol.exit_order = "reversal"
        else:
            symbol.has_partial_order = is_at_partial

    def tighten(self, trade, stop, name):
        if stop > trade.stop if trade.side == 1 else stop < trade.stop:
            trade.stop, trade.stop_name = stop, name
