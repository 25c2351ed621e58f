"""Charts of the report: ECharts options, and what the page puts into them.

An option is what https://echarts.apache.org/en/option.html describes, but for what JSON
cannot say or what belongs to the page; that is put in by `page/bind.js`
(docs/charts.md):

- `colour("gain")`: a colour of the theme, light or dark;
- `show("number", 2)`: a function of `page/format.js` in the place of a formatter;
- `tip(...)`: a tooltip made of nodes, so that a name with markup in it stays a name;
- `column(reference)`: numbers that `pack.py` wrote.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Option = dict[str, Any]


def chart(label: str, option: Option) -> dict[str, Any]:
    """Return a chart and what it shows in words, for who cannot see it."""
    return {"label": label, "option": option}


def nothing(sentence: str) -> dict[str, Any]:
    """Return the sentence that stands where a chart has nothing to show."""
    return {"nothing": sentence}


def colour(name: str, opacity: float | None = None) -> str:
    """Return a colour of the page's style, `--name` in `page/style.css`."""
    return f"var(--{name})" if opacity is None else f"var(--{name}, {opacity})"


def show(function: str, *arguments: Any) -> dict[str, Any]:
    """Return a formatter: a function of `page/format.js`, and its later arguments."""
    return {"$show": [function, *arguments]}


def column(reference: Mapping[str, Any]) -> dict[str, Any]:
    """Return numbers that lie packed in the page (`Pack`)."""
    return {"$column": reference}


def tip(
    value: dict[str, Any] | None = None, titles: Sequence[str] | None = None
) -> dict[str, Any]:
    """Return the formatter of a tooltip.

    It has a line per series at the pointer, its values as `value` shows them, or the
    lines that an item of data brings as `told`: pairs of name and text. `titles` are in
    the order of the data; without them the name of the item is the title.
    """
    return {"$tip": {"value": value or show("number"), "titles": titles}}


def merged(option: Option, extra: Option) -> Option:
    """Return an option with others over it, all the way down."""
    under = {
        key: merged(option[key], value)
        if isinstance(value, dict) and isinstance(option.get(key), dict)
        else value
        for key, value in extra.items()
    }
    return option | under


def axis(**extra: Any) -> Option:
    """Return an axis in the style of the report, with some options over it."""
    plain = {
        "axisLine": {"lineStyle": {"color": colour("line")}},
        "axisTick": {"show": False},
        "axisLabel": {"color": colour("muted"), "hideOverlap": True},
        "splitLine": {"lineStyle": {"color": colour("line"), "opacity": 0.6}},
        "nameTextStyle": {"color": colour("muted")},
    }
    return merged(plain, extra)


def categories(names: Sequence[str], **extra: Any) -> Option:
    """Return an axis of names."""
    of_names = {"type": "category", "data": names, "splitLine": {"show": False}}
    return axis(**merged(of_names, extra))


def grid(**edges: Any) -> Option:
    """Return the place of a plot; its labels take their room from it."""
    snug = {
        **{"left": 0, "right": 16, "top": 8, "bottom": 4},
        **{"outerBoundsMode": "same", "outerBoundsContain": "axisLabel"},
    }
    return snug | edges
