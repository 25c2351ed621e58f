"""Steps of a price that no market makes, and those that are doubtful.

In a market that is open the next hour begins where the last one ended: even in a crash
the way down lies within bars, and of years of BTC and ETH the largest step between two
consecutive hours is 0.3 %. So a step *between* bars tells a change of unit (a
redenomination, another contract, a slip) from a move. Three factors decide:

- `LEAST_BREAK` (8, below the 10 of the smallest change of unit with room for a move of
  a quarter): between consecutive hours it is refused, up or down, whether it stays or
  comes back.
- `LEAST_RENAMING` (100): over missing hours (a halt, in which a coin may lose nine
  tenths), and from the open to the close of one bar, it is refused: the largest hours
  of listings and collapses stay within a factor of some tens.
- `LEAST_DOUBT` (1.5 between consecutive hours, 4 over missing ones) is a finding, and
  so is a bar whose high is `LEAST_RANGE` (5) times its low: flash crashes did that.
"""

from typing import NamedTuple

LEAST_BREAK, LEAST_RENAMING = 8.0, 100.0
LEAST_DOUBT, LEAST_DOUBT_OVER_GAP = 1.5, 4.0
LEAST_RANGE = 5.0

# Predicates over the columns ts, open, close, previous_ts and previous_close.
IS_CONSECUTIVE = "epoch_us(ts) - epoch_us(previous_ts) <= 3600000000"
BETWEEN = "greatest(open / previous_close, previous_close / open)"
WITHIN = "greatest(close / open, open / close)"
ARE_PRICES = (
    "isfinite(open) and open > 0 and isfinite(close) and close > 0 "
    "and isfinite(coalesce(previous_close, 1)) and coalesce(previous_close, 1) > 0 "
    "and ts > coalesce(previous_ts, '-infinity'::timestamptz)"
)
SCALE_FIX = (
    "if the unit changed (a redenomination, another contract), scale the bars before "
    "or after it; leave out bars of another asset; correct a slip"
)


class Impossible(NamedTuple):
    """A step that is refused: its SQL, what was expected, what to show of the row."""

    is_bad: str
    expected: str
    shown: str


def _times(ratio: str) -> str:
    """Return SQL that shows a ratio, and the change of unit that it is close to."""
    unit = f"round(log10({ratio}))"
    is_near = f"{unit} != 0 and abs(log10({ratio}) - {unit}) < 0.1"
    factor = f"greatest({ratio}, 1 / {ratio})"
    return (
        f"case when {ratio} >= 1 then 'x ' else '/ ' end "
        f"|| case when {factor} < 100 then format('{{:.3g}}', {factor}) "
        f"else format('{{:,d}}', round({factor})::bigint) end "
        f"|| case when {is_near} then format("
        f"' (a unit {{:,d}} times {{}}?)', (10 ** abs({unit}))::bigint, "
        f"case when {ratio} > 1 then 'smaller' else 'larger' end) else '' end"
    )


IMPOSSIBLE = [
    Impossible(
        f"{ARE_PRICES} and {BETWEEN} >= "
        f"case when {IS_CONSECUTIVE} then {LEAST_BREAK} else {LEAST_RENAMING} end",
        f"an open within {LEAST_BREAK:g} times the close of the hour before "
        f"({LEAST_RENAMING:g} times, after missing hours)",
        "concat('open ', open, ' after a close of ', previous_close, ': ', "
        f"{_times('(open / previous_close)')}, ', at ', ts)",
    ),
    Impossible(
        f"{ARE_PRICES} and {WITHIN} >= {LEAST_RENAMING}",
        f"a close within {LEAST_RENAMING:g} times the open of its hour",
        f"concat('open ', open, ', close ', close, ': ', {_times('(close / open)')}, "
        "', at ', ts)",
    ),
]
