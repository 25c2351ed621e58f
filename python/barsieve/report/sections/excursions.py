"""Excursions of trades as dots: how far each went against, and for, in R."""

from typing import Any

import numpy as np

from barsieve.report.charts import axis, chart, colour, grid, rows, show, tip_of_values
from barsieve.report.source import Entry, Source, members_key
from barsieve.report.text import DASH, number

EXCURSIONS = """
    select mae_r, mfe_r, trade_id, net_pnl > 0 as is_win
    from (
        from trades where profile = $profile and list_contains($symbols, symbol)
        order by entry_ts desc, symbol desc, trade_id desc limit $most
    )
    order by symbol, trade_id
"""
# The last of more: as many as can be told apart, and as a page should carry.
MOST_DOTS = 3000
R_DECIMALS = 3


def _median(values: np.ndarray) -> str:
    return number(float(np.median(values)), 2) if len(values) else DASH


def _axis(title: str, gap: int) -> dict[str, Any]:
    return axis(
        name=title,
        nameLocation="middle",
        nameGap=gap,
        min=0,
        axisLabel={"formatter": show("number", 1)},
    )


def excursion_chart(source: Source, profile: Entry) -> dict[str, Any] | None:
    """Return MAE against MFE of each trade, won and lost; None where there is none."""
    columns = source.arrays(EXCURSIONS, **members_key(profile), most=MOST_DOTS)
    is_win = columns.pop("is_win").astype(bool)
    if not len(is_win):
        return None

    def dots(name: str, kept: np.ndarray, tone: str) -> dict[str, Any]:
        packed = [source.pack.rounded(of[kept], R_DECIMALS) for of in columns.values()]
        return {
            "name": name,
            "type": "scatter",
            "symbolSize": 4,
            "data": rows(packed),
            "itemStyle": {"color": colour(tone), "opacity": 0.55},
        }

    against, ahead = columns["mae_r"][is_win], columns["mfe_r"][~is_win]
    is_all = len(is_win) < MOST_DOTS
    shown = "each trade" if is_all else f"the last {number(MOST_DOTS)} trades"
    told = [show("number", 2), show("number", 2), show("number")]
    return chart(
        f"Maximum adverse against maximum favourable excursion of {shown} in R. "
        f"Half of the trades that won went {_median(against)} R against it or less; "
        f"half of those that lost had been {_median(ahead)} R ahead or more",
        {
            "grid": grid(top=28, bottom=26, left=22),
            "legend": {"data": ["won", "lost"]},
            "tooltip": {
                "formatter": tip_of_values("MAE {0} R", told, {"MFE, R": 1, "trade": 2})
            },
            "xAxis": _axis("MAE, R", 24),
            "yAxis": _axis("MFE, R", 30),
            "series": [dots("won", is_win, "gain"), dots("lost", ~is_win, "loss")],
        },
        is_dense=True,
    )
