"""Charts of a sweep: its configurations as lines, and their halves as dots."""

from typing import Any

import numpy as np

from barsieve.report.charts import (
    axis,
    chart,
    colour,
    grid,
    nothing,
    rows,
    show,
    tip_of_values,
)
from barsieve.report.pack import Pack
from barsieve.report.sections.sweep_terrain import (
    FIGURES,
    THRESHOLD,
    Columns,
    scale,
    setting_name,
    terrain,
)

DECIMALS = {"trades": 0, "net_pnl": 2, "sharpe": 4, "first_net": 2, "second_net": 2}
RESULTS = ("trades", "net_pnl", "sharpe")
TITLES = {"net_pnl": "net, USD", "sharpe": "Sharpe"}
NARROW = 619

NO_TRADE = "No configuration traded."


def _packed(
    pack: Pack, columns: Columns, names: list[str], kept: np.ndarray
) -> list[dict[str, Any]]:
    return [
        pack.rounded(columns[name][kept].astype(float), DECIMALS.get(name, 6))
        for name in names
    ]


def _lines(
    pack: Pack, columns: Columns, varied: list[str], best: int
) -> dict[str, Any]:
    """Return each configuration that traded as a line over settings and results."""
    kept = columns["trades"] > 0
    if not kept.any():
        return nothing(NO_TRADE)
    kept[best] = True
    names = [*varied, *RESULTS]
    packed = _packed(pack, columns, names, kept)
    place = int(np.count_nonzero(kept[:best]))
    net = names.index("net_pnl")
    reach = max(float(np.abs(columns["net_pnl"]).max()), 1e-9)
    faint = {"lineStyle": {"color": colour("faint")}}
    style = {
        "nameTextStyle": {"color": colour("ink")},
        "axisLine": faint,
        "axisTick": faint,
        # Lines pass under the labels.
        "axisLabel": {
            "color": colour("muted"),
            "backgroundColor": colour("paper", 0.8),
        },
        "areaSelectStyle": {
            "color": colour("accent"),
            "borderColor": colour("accent"),
            "opacity": 0.2,
        },
    }
    wide = {"left": 46, "right": 50, "layout": "horizontal"}
    narrow = {"left": 24, "right": 84, "layout": "vertical"}
    return chart(
        "Settings and results of every configuration that traded, as parallel "
        "coordinates",
        {
            "legend": {"data": ["best by net result"]},
            "tooltip": {"show": False},
            "parallel": {"top": 58, "bottom": 24, "parallelAxisDefault": style} | wide,
            "media": [
                {"query": {"maxWidth": NARROW}, "option": {"parallel": narrow}},
                {"option": {"parallel": wide}},
            ],
            "parallelAxis": [
                {"dim": k, "name": TITLES.get(name, setting_name(name)), "scale": True}
                for k, name in enumerate(names)
            ],
            "visualMap": scale(reach, True, middle="faint")
            | {"show": False, "dimension": net, "seriesIndex": 0},
            "color": [colour("muted"), colour("ink")],
            "series": [
                {
                    "name": "configurations",
                    "type": "parallel",
                    "data": rows(packed, without=place),
                    "lineStyle": {"width": 1, "opacity": 0.28},
                },
                {
                    "name": "best by net result",
                    "type": "parallel",
                    "data": rows(packed, only=place),
                    "lineStyle": {"width": 2.5, "color": colour("ink"), "opacity": 1},
                },
            ],
        },
        is_dense=True,
    )


def _result_axis(title: str, gap: int) -> dict[str, Any]:
    return axis(
        name=title,
        nameLocation="middle",
        nameGap=gap,
        scale=True,
        axisLine={
            "show": True,
            "onZero": True,
            "lineStyle": {"color": colour("faint")},
        },
        axisLabel={"formatter": show("number")},
    )


def _halves(
    pack: Pack, columns: Columns, winner: int | None, since: str
) -> dict[str, Any]:
    """Return the net result of the first half against that of the second, as dots."""
    caption = (
        f"Net result of the months before {since}, by which one would have chosen, "
        "against those from then on"
    )
    if winner is None:
        return nothing(NO_TRADE, caption)
    kept = columns["trades"] > 0
    names = ["first_net", "second_net", THRESHOLD, "trades"]
    packed = _packed(pack, columns, names, kept)
    place = int(np.count_nonzero(kept[:winner]))
    chosen = {"color": colour("warn"), "borderColor": colour("ink"), "borderWidth": 1}
    return chart(
        f"In sample against out of sample. {caption}",
        {
            "grid": grid(top=34, bottom=26, left=24),
            "legend": {"data": ["configurations", "winner of the first half"]},
            "tooltip": {
                "formatter": tip_of_values(
                    "threshold {2}",
                    [show("money"), show("money"), show("number", 2), show("number")],
                    {"first half": 0, "second half": 1, "trades": 3},
                )
            },
            "xAxis": _result_axis("first half, USD", 26),
            "yAxis": _result_axis("second half, USD", 52),
            "series": [
                {
                    "name": "configurations",
                    "type": "scatter",
                    "data": rows(packed, without=place),
                    "symbolSize": 5,
                    "itemStyle": {"color": colour("accent"), "opacity": 0.45},
                },
                {
                    "name": "winner of the first half",
                    "type": "scatter",
                    "data": rows(packed, only=place),
                    "symbol": "diamond",
                    "symbolSize": 15,
                    "itemStyle": chosen,
                },
            ],
        },
        is_dense=True,
        caption=caption,
    )


def charts_of(
    pack: Pack, figures: dict[str, Any], columns: Columns
) -> dict[str, dict[str, Any] | list[tuple[str, str]]]:
    """Return the charts of a sweep, and what the page lets choose of its terrain.

    `columns` are of shape (n_configurations,): each setting and result, by name.
    """
    configs = columns["config"].tolist()
    known = {"config", *DECIMALS}
    varied = [
        name
        for name, values in columns.items()
        if name not in known and len(set(values.tolist())) > 1
    ]
    has_terrain = THRESHOLD in varied
    weights = [name for name in varied if name != THRESHOLD] if has_terrain else []
    best, winner = figures["best_config"], figures["winner_config"]
    drawn = {
        "sweep-lines": _lines(pack, columns, varied, configs.index(best)),
        "sweep-halves": _halves(
            pack,
            columns,
            configs.index(winner) if winner else None,
            figures["second_half_from"],
        ),
    }
    return {
        "weights": [(name, setting_name(name)) for name in weights],
        "shown": [(name, figure.title) for name, figure in FIGURES.items()],
        "charts": pack.document(drawn),
        "terrain": pack.document(terrain(weights, columns)),
    }
