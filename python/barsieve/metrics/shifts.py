"""Shifts of a profile's own signals along the bars on which it might have entered.

Signals (side, confidence, threshold) are shifted circularly along the profile's tracks,
all by the same random amount, and replayed by the same kernel with the same costs and
exits. Where signals know nothing of what follows, the profile is one of these replays
like any other. A shift, not a shuffle, for signals come in runs, and a run trades
otherwise than as many single signals.
"""

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np

from barsieve.replay.runs import FOCUSED, Inputs, Part, Run, market_of, replay
from barsieve.replay.state import FLAT
from barsieve.signals.bars import are_open

DRAWS = 99
"""Draws wanted; their ranks are shares of a hundred."""
LEAST_TRADES_APART, SHARE_APART = 1, 0.02
"""A draw trades as often as the profile, within the greater of these two."""
MOST_VISITED = 20_000_000
"""Bars that the draws of a profile may step through, those refused too."""
FIRST_SHIFTS, SELDOM = 50, 0.05
"""Of so many shifts at least such a share trades as often, or signals are left out."""
MOST_GUESSES = 8
"""Replays of one shift that look for the share of its signals to be kept."""

# What makes a signal; moved together, so that each stays a signal where it lands. Gates
# and vetoes stay where they are: they belong to the time, and decide exits as well.
SIGNAL = ("side", "confidence", "threshold")


def _track(inputs: Inputs, part: Part) -> np.ndarray:
    own = slice(part.start, part.stop)
    sided = np.flatnonzero(inputs.bars.side[own] != FLAT)
    eligible = np.flatnonzero(inputs.bars.is_eligible[own])
    eligible = part.start + eligible[eligible >= (sided[0] if len(sided) else np.inf)]
    is_open = are_open(inputs.bars[eligible].view(np.recarray), inputs.profile.rules)
    track: np.ndarray = eligible[is_open]
    return track


def tracks_of(inputs: Inputs) -> list[np.ndarray]:
    """Return, by symbol, the positions of the bars on which a signal would be entered.

    Eligible bars whose vetoes and macro gate let a long or a short through. A signal
    that a shift brings to a bar closed to its side is not entered, as it would not have
    been. Bars before the first that had a side are left out: no score existed yet.
    """
    return [_track(inputs, part) for part in inputs.symbols]


class Signals:
    """The signals of an account, to be moved along its tracks.

    Every symbol has its own; one shift moves them all by as many places, so that what
    happened together stays together as far as the tracks have their bars together.
    All moves are written into one array of bars: replay one before asking for the next.
    """

    def __init__(self, inputs: Inputs, bars: np.recarray | None = None):
        """Find the tracks of an account's inputs.

        `bars`: where moves are written, a copy of those of the inputs unless given.
        Whoever needs those no more gives them, and spares a copy.
        """
        self.inputs, self._tracks = inputs, tracks_of(inputs)
        self.track = np.concatenate(self._tracks)
        self.longest = max(map(len, self._tracks))
        own = inputs.bars[self.track]
        # What can be entered at all: a streak of losses only asks for more.
        self._is_strong = (own.side != FLAT) & (own.confidence >= own.threshold)
        self._own = {name: own[name].copy() for name in SIGNAL}
        self._bars = inputs.bars.copy() if bars is None else bars
        moved = inputs._replace(bars=self._bars)
        self._market = market_of(moved) if len(inputs.symbols) > 1 else None

    def _sources(self, shift: int) -> np.ndarray:
        """Return which place of the tracks has the signal that lands on each."""
        sources, start = [], 0
        for track in self._tracks:
            sources.append(start + np.roll(np.arange(len(track)), shift))
            start += len(track)
        return np.concatenate(sources)

    def moved(self, shift: int, is_kept: np.ndarray | None = None) -> Inputs:
        """Return the inputs with the signals moved on by so many places of the tracks.

        A shift of 0 gives the profile itself. `is_kept`, shape (n_places,), tells
        which places keep the signal that lands there; the others lose it.
        """
        sources = self._sources(shift)
        for name in SIGNAL:
            self._bars[name][self.track] = self._own[name][sources]
        may_enter = self._is_strong[sources]
        if is_kept is not None:
            self._bars.side[self.track[~is_kept]] = FLAT
            may_enter = may_enter & is_kept
        return self.inputs._replace(bars=self._bars, entry_bars=self.track[may_enter])

    def replayed(self, shift: int, is_kept: np.ndarray | None = None) -> Run:
        """Replay the inputs as `moved` returns them.

        Focused: every signal lies on one of its entry bars, so nothing is skipped.
        """
        return replay(self.moved(shift, is_kept), FOCUSED, self._market)


class Draw(NamedTuple):
    """A replay with moved signals that traded as often as the profile.

    `kept` is the share of the signals that it kept.
    """

    shift: int
    kept: float
    run: Run


def _surplus(run: Run, wanted: int) -> int:
    """Return how many trades a replay has beyond the wanted; 0 if it comes close."""
    surplus = len(run.trades) - wanted
    within = max(LEAST_TRADES_APART, SHARE_APART * wanted)
    return surplus if abs(surplus) > within else 0


class Draws:
    """Shifts of a profile that trade as often as it did; iterate to replay them.

    Shifts come without replacement. One that trades too often or too seldom is drawn
    again. Where too few fit, signals are left out at random: of each shift as many as
    it takes where shifts trade more often, of the profile where it does. `own` is its
    replay, and `own_kept` the share of its signals in it; `tried` and `accepted` count
    shifts with all signals, against the profile with all of its own.
    """

    def __init__(
        self,
        inputs: Inputs,
        rng: np.random.Generator,
        bars: np.recarray | None = None,
    ):
        """Replay the profile itself; `bars` as of `Signals`."""
        self.signals, self._rng = Signals(inputs, bars), rng
        self.places = len(self.signals.track)
        self.own = self.signals.replayed(0)
        self.own_kept, self.tried, self.accepted = 1.0, 0, 0
        self._trades: list[int] = []
        self._visited = 0

    def _replayed(self, shift: int, is_kept: np.ndarray | None = None) -> Run:
        run = self.signals.replayed(shift, is_kept)
        self._visited += run.outcome.bars_visited
        return run

    def _fits(self, run: Run) -> bool:
        return _surplus(run, len(self.own.trades)) == 0

    def _of_all_signals(self, shifts: np.ndarray) -> Iterator[Draw]:
        for shift in shifts:
            too_seldom = self.accepted < SELDOM * self.tried
            if self._visited > MOST_VISITED:
                return
            if self.tried >= FIRST_SHIFTS and too_seldom:
                return
            run = self._replayed(shift)
            self.tried += 1
            self._trades.append(len(run.trades))
            if self._fits(run):
                self.accepted += 1
                yield Draw(int(shift), 1.0, run)

    def _thinned(self, shift: int, kept: float, wanted: int) -> Draw | None:
        """Return a shift without the signals that are too many for so many trades.

        None where no share of them fits. The same numbers decide at every guess, so
        that a lower share keeps a part of what a higher one keeps.
        """
        numbers, (low, high) = self._rng.random(self.places), (0.0, 1.0)
        for _ in range(MOST_GUESSES):
            run = self._replayed(shift, numbers < kept)
            surplus = _surplus(run, wanted)
            if surplus == 0:
                return Draw(int(shift), kept, run)
            if surplus < 0 and kept == 1.0:
                return None
            low, high = (low, kept) if surplus > 0 else (kept, high)
            # Where the last guess leads by proportion, if that lies between.
            guess = kept * wanted / max(len(run.trades), 1)
            kept = guess if low < guess < high else (low + high) / 2
        return None

    def _of_fewer_signals(self, shifts: np.ndarray) -> Iterator[Draw]:
        wanted = len(self.own.trades)
        kept = min(1.0, wanted / max(np.median(self._trades), 1))
        for shift in shifts:
            if self._visited > 2 * MOST_VISITED:
                return
            found = self._thinned(shift, kept, wanted)
            if found is not None:
                kept = found.kept
                yield found

    def _of_a_thinned_profile(self, shifts: np.ndarray) -> Iterator[Draw]:
        wanted = int(np.median(self._trades))
        found = self._thinned(0, wanted / len(self.own.trades), wanted)
        if found is None:
            return
        self.own, self.own_kept = found.run, found.kept
        for shift in shifts:
            if self._visited > 2 * MOST_VISITED:
                return
            run = self._replayed(shift)
            if self._fits(run):
                yield Draw(int(shift), 1.0, run)

    def take(self, n_draws: int = DRAWS) -> list[Draw]:
        """Return so many draws, or the fewer that there are; none without a trade."""
        longest = self.signals.longest
        if not len(self.own.trades) or longest < 2:
            return []
        shifts = 1 + self._rng.permutation(longest - 1)
        draws = list(islice(self._of_all_signals(shifts), n_draws))
        if len(draws) < n_draws:
            is_more = np.median(self._trades) > len(self.own.trades)
            others = self._of_fewer_signals if is_more else self._of_a_thinned_profile
            draws = list(islice(others(shifts), n_draws))
        return draws
