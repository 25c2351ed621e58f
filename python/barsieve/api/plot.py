"""Figure of a run: price with its trades, the account, how far it fell."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from barsieve.core.arrow import numbers
from barsieve.core.extras import needed
from barsieve.core.keys import ALL
from barsieve.core.text import number
from barsieve.metrics.performance import drawdowns

if TYPE_CHECKING:
    from barsieve.api.run import Run

HOUR_US, DAY_US = 3_600_000_000, 86_400_000_000
# A longer run is drawn by days: the last close of each, and its deepest fall.
MOST_BARS = 3_000
PRICE, EQUITY, FALL = "#8a8f98", "#0072b2", "#d55e00"
WON, LOST = "#009e73", "#d55e00"
SYMBOLS = {"long": "triangle-up", "short": "triangle-down"}


def _times(opens: pa.ChunkedArray, hours: int = 0) -> np.ndarray:
    """Return moments of Arrow as numpy's, so many hours later; shape (n,)."""
    moments = numbers(opens.combine_chunks().view(pa.int64())) + hours * HOUR_US
    return moments.astype("datetime64[us]")


def _last_of_days(closed_at: np.ndarray) -> np.ndarray:
    """Return the positions of the bars to draw: all, or the last of each day."""
    if len(closed_at) <= MOST_BARS:
        return np.arange(len(closed_at))
    # The bar that closes at midnight is the last of its day.
    days = (closed_at.astype(np.int64) - 1) // DAY_US
    return np.flatnonzero(np.diff(days, append=days[-1] + 1))


def _deepest(fall: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Return the deepest fall since the bar that was drawn before each."""
    if not len(drawn):
        return fall
    starts = np.concatenate([[0], drawn[:-1] + 1])
    return np.maximum.reduceat(fall, starts)


def _trade_lines(trades: list[dict[str, Any]]) -> list[str]:
    return [
        f"trade {t['trade_id']}, {t['side']}<br>{t['entry_ts']:%Y-%m-%d %H:%M} to "
        f"{t['exit_ts']:%Y-%m-%d %H:%M}<br>left by {t['exit_reason']}<br>"
        f"{t['net_pnl']:+,.2f} USD, {t['r_multiple']:+.2f} R"
        for t in trades
    ]


def _entries(go: Any, trades: list[dict[str, Any]], side: str) -> Any:
    own = [trade for trade in trades if trade["side"] == side]
    return go.Scatter(
        x=[trade["entry_ts"] for trade in own],
        y=[trade["entry_price"] for trade in own],
        mode="markers",
        name=f"{side} entries",
        marker={
            "symbol": SYMBOLS[side],
            "size": 9,
            "color": [WON if trade["net_pnl"] > 0 else LOST for trade in own],
        },
        text=_trade_lines(own),
        hoverinfo="text",
    )


def _exits(go: Any, trades: list[dict[str, Any]]) -> Any:
    return go.Scatter(
        x=[trade["exit_ts"] for trade in trades],
        y=[trade["exit_price"] for trade in trades],
        mode="markers",
        name="exits",
        marker={"symbol": "x-thin-open", "size": 7, "color": PRICE},
        text=_trade_lines(trades),
        hoverinfo="text",
    )


def _line(go: Any, x: np.ndarray, y: np.ndarray, name: str, color: str) -> Any:
    return go.Scatter(x=x, y=y, name=name, line={"color": color, "width": 1.2})


def _price(go: Any, run: "Run", drawn: np.ndarray) -> list[Any]:
    """Return the closes at some bars, and all trades."""
    prices, trades = run.table("prices"), run.table("trades").to_pylist()
    closed_at = _times(prices["bar_ts"], hours=1)[drawn]
    lines = [_line(go, closed_at, numbers(prices["close"])[drawn], "close", PRICE)]
    return [*lines, *(_entries(go, trades, s) for s in SYMBOLS), _exits(go, trades)]


def _results(go: Any, run: "Run") -> list[Any]:
    """Return what each symbol has made, open positions included."""
    by_symbol = run.table("equity_by_symbol")
    names = np.array(by_symbol["symbol"].to_pylist())
    closed_at, equity = (
        _times(by_symbol["bar_ts"], hours=1),
        numbers(by_symbol["equity"]),
    )
    lines = []
    for name in np.unique(names):
        own = np.flatnonzero(names == name)
        drawn = own[_last_of_days(closed_at[own])]
        made = equity[drawn] - equity[own[0]]
        lines.append(go.Scatter(x=closed_at[drawn], y=made, name=str(name)))
    return lines


def _title(run: "Run") -> str:
    figures = (
        ("return", number(run.metrics["return_share"], "+.1%")),
        ("Sharpe", number(run.metrics["sharpe"], ".2f")),
        ("drawdown", number(run.metrics["max_drawdown"], ".1%")),
        ("trades", number(run.metrics["trades"], ",d")),
    )
    said = ", ".join(f"{name} {value}" for name, value in figures)
    notes = "net of costs; green entries won, orange lost; UTC"
    return f"{run.title}<br><sup>{said}; {notes}</sup>"


def figure_of(run: "Run") -> Any:
    """Return the plotly figure of a run.

    Green entries won, red ones lost; triangles point to where the trade bet. Of several
    symbols it has what each has made in the place of prices. A drawdown is the fall
    from the highest equity so far.
    """
    go = needed("plotly.graph_objects", "notebook", by="Run.plot")
    subplots = needed("plotly.subplots", "notebook", by="Run.plot")
    equity = run.table("equity")
    closed_at = _times(equity["bar_ts"], hours=1)
    drawn = _last_of_days(closed_at)
    curve = numbers(equity["equity"])
    fall = -_deepest(drawdowns(curve), drawn)
    figure = subplots.make_subplots(
        rows=3, shared_xaxes=True, vertical_spacing=0.03, row_heights=[0.5, 0.3, 0.2]
    )
    if run.symbol == ALL:
        figure.add_traces(_results(go, run), rows=1, cols=1)
        figure.update_yaxes(title_text="result by symbol, USD", row=1, col=1)
    else:
        figure.add_traces(_price(go, run, drawn), rows=1, cols=1)
        figure.update_yaxes(title_text=f"{run.symbol}, USD", type="log", row=1, col=1)
    figure.add_trace(_line(go, closed_at[drawn], curve[drawn], "equity", EQUITY), 2, 1)
    under = _line(go, closed_at[drawn], fall, "drawdown", FALL).update(fill="tozeroy")
    figure.add_trace(under, 3, 1)
    figure.update_yaxes(title_text="equity, USD", row=2, col=1)
    figure.update_yaxes(title_text="drawdown", tickformat=".0%", row=3, col=1)
    return figure.update_layout(
        title=_title(run),
        template="plotly_white",
        height=720,
        hovermode="closest",
        legend={"orientation": "h", "y": -0.06},
        margin={"l": 70, "r": 20, "t": 80, "b": 40},
    )
