"""Learned exits and sizes: the policy drawn, and what it was worth out of sample."""

from typing import Any

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
from barsieve.report.section import Section, absent
from barsieve.report.sections.sweep_terrain import scale
from barsieve.report.source import Entry, Source

FIGURES = "select * exclude (profile) from {} where profile = $profile order by all"
SIZES = FIGURES.replace("(profile)", "(profile, symbol)")
UNLEARNED = (
    "The profile learns neither exits (exits.learned_model) nor sizes (sizing.kind "
    "kelly)."
)
R = show("number", 2, True)

Row = dict[str, Any]


def _number_in(text: str) -> float:
    """Return the number of a cell's name; what has none lies below all."""
    return next((float(w) for w in text.split() if w.lstrip("-")[:1].isdigit()), -9.0)


def _place(name: str) -> float:
    return -9.0 if "below" in name else _number_in(name)


def _policy(figures: list[Row]) -> Row:
    """Return the expected rest of R over bars held and profit."""
    rows = [row for row in figures if row["section"] == "policy"]
    if not rows:
        return nothing("No trade was judged out of sample.")
    across = sorted({row["subject"] for row in rows}, key=_number_in)
    up = sorted({row["figure"] for row in rows}, key=_place)
    cells = [
        [across.index(r["subject"]), up.index(r["figure"]), round(r["value"], 4)]
        for r in rows
    ]
    reach = max(max(abs(cell[2]) for cell in cells), 1e-9)
    label = "Expected rest of R by bars held and profit, out of sample"
    return chart(
        label,
        {
            "grid": grid(top=40, bottom=24, left=22),
            "tooltip": {
                "formatter": tip_of_values(
                    "{0}, {1}", [pick(across), pick(up), R], {"expected rest": 2}
                )
            },
            "xAxis": categories(across),
            "yAxis": categories(up),
            "visualMap": scale(reach, True)
            | {"dimension": 2, "formatter": R, "text": ["stay", "leave"]},
            "series": [
                {
                    "name": "expected rest",
                    "type": "heatmap",
                    "data": cells,
                    "itemStyle": {"borderColor": colour("paper"), "borderWidth": 1},
                }
            ],
        },
    )


def _entry(source: Source, profile: Entry) -> Row:
    exits = source.rows(FIGURES.format("report_exits"), profile=profile["profile"])
    sizes = source.rows(SIZES.format("report_sizing"), profile=profile["profile"])
    if not exits and not sizes:
        return absent(UNLEARNED)
    charts = {"policy-chart": _policy(exits)}
    return {
        "exits": [row for row in exits if row["section"] != "policy"],
        "sizes": sizes,
        "charts": source.pack.document(charts),
    }


def collect(source: Source) -> dict[str, Any]:
    """Return, entry by entry, the figures and the policy as a chart."""
    return {"profiles": [_entry(source, profile) for profile in source.profiles]}


SECTION = Section(
    "learned",
    "Learned exits and sizes",
    ("report_exits", "report_sizing"),
    collect,
    until="dbt build makes them; a build without the tag ml leaves them out.",
)
