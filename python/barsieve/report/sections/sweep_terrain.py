"""Terrain of a sweep: a figure by threshold and weight, a chart for each choice."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from barsieve.report.charts import (
    categories,
    chart,
    colour,
    grid,
    nothing,
    pick,
    show,
    tip_of_values,
)
from barsieve.report.text import DASH, money, number, share, words

Columns = dict[str, np.ndarray]

# More values than these are put into bins.
MOST_LEVELS = 25
BINS = 12
THRESHOLD = "entry_threshold"


class Figure(NamedTuple):
    """Figure of a cell: its title, as text here and in the page, its sign."""

    title: str
    text: Any
    shown: dict[str, Any]
    is_signed: bool = False


FIGURES = {
    "net_pnl": Figure("median net result, USD", money, show("money"), True),
    "sharpe": Figure(
        "median Sharpe ratio",
        lambda value: number(value, 2, is_signed=True),
        show("number", 2, True),
        True,
    ),
    "profitable": Figure("share profitable", share, show("share")),
    "trades": Figure("median trades", number, show("number")),
}


class Levels(NamedTuple):
    """The values of a setting, or bins of them, and the place of each configuration."""

    names: list[str]
    places: np.ndarray


def setting_name(name: str) -> str:
    """Return a setting as the page names it."""
    return words(name).removeprefix("weight ").removeprefix("entry ")


def _decimals(values: np.ndarray) -> int:
    """Return the decimals that tell the values apart, three at most."""
    texts = [f"{value:.6f}".rstrip("0").partition(".")[2] for value in values.tolist()]
    return min(3, max(map(len, texts)))


def levels_of(values: np.ndarray) -> Levels:
    """Return the rows or columns of the terrain: values, or bins of many."""
    distinct, places = np.unique(np.round(values, 6), return_inverse=True)
    if len(distinct) <= MOST_LEVELS:
        decimals = _decimals(distinct)
        return Levels([number(value, decimals) for value in distinct.tolist()], places)
    low, high = distinct[0], distinct[-1]
    edges = [number(low + (high - low) * k / BINS, 2) for k in range(BINS + 1)]
    names = [f"{edges[k]}{DASH}{edges[k + 1]}" for k in range(BINS)]
    inside = ((distinct - low) / (high - low) * BINS).astype(int)
    return Levels(names, np.minimum(inside, BINS - 1)[places])


def _value(figure: str, columns: Columns, members: np.ndarray) -> float:
    if figure == "profitable":
        return float(np.mean(columns["net_pnl"][members] > 0))
    values = columns[figure][members]
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")


def _cells(
    across: Levels, up: Levels, figure: str, columns: Columns
) -> Iterator[list[float]]:
    """Yield column, row, value and number of configurations of each known cell."""
    places = across.places * len(up.names) + up.places
    for place in np.unique(places).tolist():
        members = np.flatnonzero(places == place)
        value = _value(figure, columns, members)
        if np.isfinite(value):
            yield [*divmod(place, len(up.names)), round(value, 4), len(members)]


def scale(reach: float, is_signed: bool, middle: str = "card") -> dict[str, Any]:
    """Return a scale of colours: gain and loss to either side of nothing, or one."""
    ends = ("loss", middle, "gain") if is_signed else ("card", "accent")
    return {
        "min": -reach if is_signed else 0,
        "max": reach,
        "inRange": {"color": [colour(tone) for tone in ends]},
        "textStyle": {"color": colour("muted")},
        "calculable": False,
        "orient": "horizontal",
        "left": "center",
        "top": 0,
        "itemWidth": 12,
        "itemHeight": 120,
    }


def _named(names: list[str], title: str, gap: int) -> dict[str, Any]:
    return categories(names, name=title, nameLocation="middle", nameGap=gap)


def _heat(setting: str, figure: str, columns: Columns) -> dict[str, Any]:
    """Return a figure by threshold and a setting, a cell for each pair of levels."""
    name = setting_name(setting)
    title, text, shown, is_signed = FIGURES[figure]
    across, up = levels_of(columns[setting]), levels_of(columns[THRESHOLD])
    cells = list(_cells(across, up, figure, columns))
    reach = max((abs(value) for _, _, value, _ in cells), default=0.0)
    label = f"Entry threshold by {name} weight: {title} of a cell's configurations"
    formats = [pick(across.names), pick(up.names), shown, show("number")]
    lines = {title: 2, "configurations": 3}
    return chart(
        label,
        {
            "grid": grid(top=40, bottom=24, left=22),
            "tooltip": {
                "formatter": tip_of_values(
                    f"threshold {{1}}, {name} {{0}}", formats, lines
                )
            },
            "xAxis": _named(across.names, f"{name} weight", 26),
            "yAxis": _named(up.names, "threshold", 40),
            "visualMap": scale(max(reach, 1e-9), is_signed)
            | {
                "dimension": 2,
                "formatter": shown,
                "text": [text(reach), text(-reach if is_signed else 0.0)],
            },
            "series": [
                {
                    "name": title,
                    "type": "heatmap",
                    "data": cells,
                    "itemStyle": {"borderColor": colour("paper"), "borderWidth": 1},
                    "emphasis": {"itemStyle": {"borderColor": colour("ink")}},
                }
            ],
        },
        caption=label,
    )


def terrain(weights: list[str], columns: Columns) -> dict[str, Any]:
    """Return the chart of each weight and figure; of no weight, why there is none."""
    none = nothing("The grid varies no threshold and weight.")
    if not weights:
        return {"": {figure: {"sweep-heat": none} for figure in FIGURES}}
    return {
        weight: {
            figure: {"sweep-heat": _heat(weight, figure, columns)} for figure in FIGURES
        }
        for weight in weights
    }
