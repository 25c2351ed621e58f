"""Charts of the report: ECharts options, and what the page puts into them.

An option is what https://echarts.apache.org/en/option.html describes, but for what JSON
cannot say or what belongs to the page; that is put in by `page/bind.js`
(docs/charts.md):

- `colour("gain")`: a colour of the theme, light or dark;
- `show("number", 2)`: a function of `page/format.js` in the place of a formatter;
- `tip(...)`, `tip_of_values(...)`: a tooltip made of nodes, so that a name with markup
  in it stays a name;
- `rows(columns)`, `curve(at, values)`: points of columns that `pack.py` wrote.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Option = dict[str, Any]


def chart(
    label: str, option: Option, is_dense: bool = False, caption: str | None = None
) -> dict[str, Any]:
    """Return a chart and what it shows in words, for who cannot see it.

    One of thousands of points is drawn on a canvas. A caption that depends on the data
    goes into the element of the page with its id and `-caption`.
    """
    described: dict[str, Any] = {"label": label, "option": option}
    if is_dense:
        described["renderer"] = "canvas"
    return described if caption is None else described | {"caption": caption}


def nothing(sentence: str, caption: str | None = None) -> dict[str, Any]:
    """Return the sentence that stands where a chart has nothing to show."""
    described = {"nothing": sentence}
    return described if caption is None else described | {"caption": caption}


def colour(name: str, opacity: float | None = None) -> str:
    """Return a colour of the page's style, `--name` in `page/style.css`."""
    return f"var(--{name})" if opacity is None else f"var(--{name}, {opacity})"


def show(function: str, *arguments: Any) -> dict[str, Any]:
    """Return a formatter: a function of `page/format.js`, and its later arguments."""
    return {"$show": [function, *arguments]}


def pick(names: Sequence[str]) -> dict[str, Any]:
    """Return a formatter: the name at that place, counted from 0."""
    return {"$pick": names}


def rows(
    columns: Sequence[Mapping[str, Any]],
    only: int | None = None,
    without: int | None = None,
) -> dict[str, Any]:
    """Return packed columns side by side: all rows, one alone, or all but one."""
    return {"$rows": {"columns": columns, "only": only, "without": without}}


def curve(at: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return points over time, of packed milliseconds (`Pack.moments`) and values."""
    return rows([at, values])


def tip(
    value: dict[str, Any] | None = None,
    titles: Sequence[str] | None = None,
    by_series: Mapping[str, dict[str, Any]] | None = None,
    is_over_time: bool = False,
) -> dict[str, Any]:
    """Return the formatter of a tooltip.

    It has a line per series at the pointer, its values as `value` or, of some series,
    `by_series` shows them; or the lines that an item of data brings as `told`: pairs of
    name and text. Its title is the moment, over time; else one of `titles`, in the
    order of the data, or the name of the item.
    """
    return {
        "$tip": {
            "value": value or show("number"),
            "titles": titles,
            "by_series": by_series or {},
            "is_over_time": is_over_time,
        }
    }


def tip_of_values(
    title: str, values: Sequence[dict[str, Any]], lines: Mapping[str, int]
) -> dict[str, Any]:
    """Return the formatter of a tooltip for an item of several values.

    `values` are their formatters; the title says `{0}` for the first value, and a line
    has a name and the place of its value.
    """
    return {"$values": {"title": title, "values": values, "lines": lines}}


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


# Under a pointer that shows a group of bars.
SHADOW = {"type": "shadow", "shadowStyle": {"color": colour("shade")}}
TIME_LABELS = {
    "year": "{yyyy}",
    "month": "{MMM}",
    "day": "{d} {MMM}",
    "hour": "{HH}:{mm}",
    "minute": "{HH}:{mm}",
}


def times(**extra: Any) -> Option:
    """Return an axis of time."""
    over_time = {
        "type": "time",
        "splitLine": {"show": False},
        "axisLabel": {"formatter": TIME_LABELS},
    }
    return axis(**merged(over_time, extra))


def zooms(n_axes: int, **extra: Any) -> list[Option]:
    """Return what moves the span in view on some axes of time: hand and slider."""
    inside = {
        "id": "inside",
        "type": "inside",
        "zoomOnMouseWheel": "ctrl",
        "preventDefaultMouseMove": False,
    }
    slider = {
        "id": "slider",
        "type": "slider",
        "height": 18,
        "bottom": 6,
        "showDataShadow": False,
        "borderColor": colour("line"),
        "fillerColor": colour("accent", 0.14),
        "handleStyle": {"color": colour("card"), "borderColor": colour("muted")},
        "moveHandleSize": 0,
        "textStyle": {"color": colour("muted"), "fontSize": 10},
        "labelFormatter": show("dayAt"),
    }
    both = {"xAxisIndex": list(range(n_axes)), "filterMode": "none"} | extra
    return [inside | both, slider | both]


def grid(**edges: Any) -> Option:
    """Return the place of a plot; its labels take their room from it."""
    snug = {
        **{"left": 0, "right": 16, "top": 8, "bottom": 4},
        **{"outerBoundsMode": "same", "outerBoundsContain": "axisLabel"},
    }
    return snug | edges
