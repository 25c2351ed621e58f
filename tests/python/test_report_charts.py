"""Charts of the report: described in Python, and what their descriptions may say."""

import copy
import json
import re
import shutil
from dataclasses import replace
from itertools import chain, combinations

import numpy as np
import pytest

from barsieve.report.pack import Pack
from barsieve.report.sections import SECTIONS, portfolio
from barsieve.report.source import open_source
from command_line import barsieve_alone
from conftest import PROJECT
from report_browser import visit

PACKAGE = PROJECT / "python/barsieve"
PAGE = PACKAGE / "report/page"
# Their data, not their option, is made in the page.
DRAWN_BY_HAND = {"price-chart"}


def inner_parts(part):
    """Yield all that lies within an option, itself first."""
    yield part
    inner = part.values() if isinstance(part, dict) else part
    if isinstance(part, dict | list):
        for one in inner:
            yield from inner_parts(one)


def described_charts(document):
    """Yield the charts of a document with their ids; choices lie deeper."""
    for name, inner in document.items():
        if isinstance(inner, dict) and inner.keys() & {"option", "nothing"}:
            yield name, inner
        elif isinstance(inner, dict):
            yield from described_charts(inner)


class KeptPack(Pack):
    """A pack that also keeps its documents as the page unpacks them."""

    def __init__(self):
        super().__init__()
        self.documents = []

    def document(self, value):
        self.documents.append(json.loads(json.dumps(value)))
        return super().document(value)


def made_up_portfolio():
    """Return the charts of three symbols over five days, as the page unpacks them."""
    at = np.arange(5) * 86_400.0
    symbols = ["A", "B", "C"]
    days = portfolio.Days(
        results={
            "symbol": np.repeat(symbols, 5),
            "at": np.tile(at, 3),
            "result": np.linspace(-20.0, 20.0, 15),
        },
        equity={"at": at, "own": at + 1.0, "hold": at + 2.0},
        exposure={
            "opened_at": at, "longs": at / 1e6, "shorts": -at / 1e6, "positions": at,
        },
    )  # fmt: skip
    whole = {
        "profile": "p", "return_share": 0.1, "hold_return_share": 0.2,
        "mean_gross_exposure": 0.3, "max_gross_exposure": 0.6, "max_positions": 2,
    }  # fmt: skip
    pairs = [
        {"symbol": one, "other_symbol": other, "correlation": 0.5}
        for one, other in combinations(symbols, 2)
    ]
    charts = portfolio.charts_of(Pack(), whole, days, pairs)
    return json.loads(json.dumps(charts))


@pytest.fixture(scope="module")
def documents(demo_build):
    """What the page unpacks to draw, by section."""
    source = open_source(demo_build.database, [])
    found = {}
    for section in SECTIONS:
        pack = KeptPack()
        section.collect(replace(source, pack=pack))
        found[section.key] = pack.documents
    # No shipped profile trades several symbols.
    found["portfolio"] = [made_up_portfolio()]
    return found


@pytest.fixture(scope="module")
def described(documents):
    """The charts that Python describes: section, id of the place, description."""
    return [
        (key, *chart)
        for key, own in documents.items()
        for document in own
        for chart in described_charts(document)
    ]


def test_every_chart_of_the_page_is_described_in_python(described):
    places = {
        (path.stem, name)
        for path in PAGE.glob("*.html")
        for name in re.findall(r'id="([\w-]+)" class="chart', path.read_text())
    }
    assert {(key, name) for key, name, _ in described} == places
    assert len(places) >= 17
    scripts = {path.name: path.read_text() for path in PAGE.glob("*.js")}
    drawing = {n for n, text in scripts.items() if re.search(r"\bchart\(", text)}
    assert drawing == {"charts.js", "bind.js", "price.js"}
    by_hand = set(re.findall(r'\bchart\("([\w-]+)"', "".join(scripts.values())))
    assert by_hand == DRAWN_BY_HAND


COLOUR = re.compile(r"^(#[0-9a-f]{3,8}$|rgba?\(|hsla?\()", re.IGNORECASE)


def test_no_chart_names_a_colour_but_by_the_theme(documents):
    style = (PAGE / "style.css").read_text()
    texts = [
        part
        for document in chain.from_iterable(documents.values())
        for part in inner_parts(document)
        if isinstance(part, str)
    ]
    assert len(texts) > 1000
    for text in texts:
        assert not COLOUR.match(text), text
        for tone in re.findall(r"^var\(--(\w+)", text):
            assert f"--{tone}:" in style, f"no colour {tone}"


@pytest.mark.parametrize("text", ["#fff", "#0b6aa2", "rgb(1, 2, 3)", "RGBA(1,2,3,.4)"])
def test_a_colour_by_its_number_is_told(text):
    assert COLOUR.match(text)


def length_of(column: dict) -> int:
    return (column.get("seconds") or column)["n"]


def named(option: dict, key: str) -> list[dict]:
    """Return what stands under a marker, anywhere in an option."""
    parts = inner_parts(option)
    return [one[key] for one in parts if isinstance(one, dict) and key in one]


def faults_of_rows(option: dict):
    for asked in named(option, "$rows"):
        lengths = {length_of(column) for column in asked["columns"]}
        if len(lengths) != 1:
            yield f"columns of lengths {lengths}"
        elif max(asked["only"] or 0, asked["without"] or 0) >= max(*lengths, 1):
            yield "a row that the columns do not have"


def faults_of_tooltips(option: dict):
    names = {series["name"] for series in option["series"]}
    for asked in named(option, "$tip"):
        yield from (f"no series {n}" for n in asked["by_series"].keys() - names)
    for asked in named(option, "$values"):
        places = {
            *asked["lines"].values(),
            *map(int, re.findall(r"{(\d)}", asked["title"])),
        }
        widths = [len(rows["columns"]) for rows in named(option["series"], "$rows")]
        widths += [
            len(one)
            for series in option["series"]
            if isinstance(series["data"], list)
            for one in series["data"]
        ]
        if max(places) >= len(asked["values"]):
            yield "a line of a value that has no formatter"
        if len(asked["values"]) > min(widths, default=9):
            yield "a formatter of a value that no item has"


def faults_of_names(option: dict):
    names = {series["name"] for series in option["series"]}
    legend = option.get("legend", {}).get("data", [])
    yield from (f"no series {name}" for name in set(legend) - names)
    formats = re.search(r"const FORMATS = \{([^}]*)", (PAGE / "bind.js").read_text())
    known = set(re.findall(r"\w+", formats[1]))
    yield from (f"no format {n}" for n, *_ in named(option, "$show") if n not in known)
    for axis in ("xAxis", "yAxis"):
        axes = option.get(axis, {})
        count = len(axes) if isinstance(axes, list) else 1
        # The ribbon has its own series.
        asked = (series.get(f"{axis}Index", 0) for series in option["series"])
        yield from (f"no {axis} {k}" for k in asked if k >= count)


def faults_of(option: dict) -> list[str]:
    """Return what an option speaks of that is not there."""
    parts = (faults_of_rows, faults_of_tooltips, faults_of_names)
    return [fault for part in parts for fault in part(option)]


def test_an_option_speaks_of_nothing_that_is_not_there(described):
    for _, name, chart in described:
        assert chart.keys() <= {"label", "option", "renderer", "caption", "nothing"}
        assert ("option" in chart) != ("nothing" in chart), name
        assert faults_of(chart["option"]) == [] if "option" in chart else True, name


def shorten(option):
    named(option, "$rows")[0]["columns"][0]["seconds"]["n"] -= 1


def rename(option):
    option["series"][0]["name"] = "another"


def misspell(option):
    named(option, "$show")[0][0] = "numbr"


def misplace(option):
    option["series"][2]["yAxisIndex"] = 2


def overshoot(option):
    named(option, "$rows")[0]["only"] = 10**7


@pytest.mark.parametrize(
    ("alter", "fault"),
    [
        (shorten, "columns of lengths"),
        (rename, "no series full replay"),
        (misspell, "no format numbr"),
        (misplace, "no yAxis 2"),
        (overshoot, "a row that the columns do not have"),
    ],
)
def test_what_is_not_there_is_told(described, alter, fault):
    option = next(c["option"] for _, name, c in described if name == "equity-chart")
    altered = copy.deepcopy(option)
    alter(altered)
    assert any(fault in one for one in faults_of(altered))


def test_a_value_without_its_formatter_is_told(described):
    option = next(c["option"] for _, name, c in described if name == "sweep-halves")
    for alter, fault in {
        lambda asked: asked["values"].pop(): "no formatter",
        lambda asked: asked["values"].append({"$show": ["number"]}): "no item has",
    }.items():
        altered = copy.deepcopy(option)
        alter(named(altered, "$values")[0])
        assert any(fault in one for one in faults_of(altered))


def steps_of(page: str, language: str) -> list[str]:
    """Return the blocks of a page in a language, without their indentation."""
    blocks = re.findall(rf"^( *)```{language}\n(.*?)^ *```", page, re.M | re.S)
    return [re.sub(rf"^{indent}", "", text, flags=re.M) for indent, text in blocks]


@pytest.mark.slow
def test_a_chart_is_changed_and_added_as_the_page_says(
    demo_build, demo, browser, tmp_path
):
    said = (PROJECT / "docs/charts.md").read_text()
    function, entry = steps_of(said, "python")
    (place,) = steps_of(said, "html")
    ((old, new),) = re.findall(r"^-(.*)\n\+(.*)\n", steps_of(said, "diff")[0], re.M)
    shutil.copytree(
        PACKAGE, tmp_path / "barsieve", ignore=shutil.ignore_patterns("__pycache__")
    )
    section = tmp_path / "barsieve/report/sections/outcomes.py"
    text = section.read_text()
    for before, after in {
        old: new,
        "def _profile(": f"{function}\n\ndef _profile(",
        "    charts = {\n": f"    charts = {{\n{entry}",
    }.items():
        assert text.count(before) == 1
        text = text.replace(before, after)
    section.write_text(text)
    with (tmp_path / "barsieve/report/page/outcomes.html").open("a") as skeleton:
        skeleton.write(place)
    done = barsieve_alone(
        "report", "--to", str(tmp_path / "new.html"), "--profile", "btc_live",
        BARSIEVE_DATABASE=demo_build.database, PYTHONPATH=tmp_path,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    with visit(browser, tmp_path / "new.html") as opened:
        assert opened.faults == []
        drawn = opened.series("hours-chart")["mean R"]
        wide = opened.page.evaluate(
            "() => echarts.getInstanceByDom(document.getElementById('bridge-chart'))"
            ".getOption().series[0].barWidth"
        )
    expected = demo.execute(
        "select avg(r_multiple order by trade_id) from trades where profile = "
        "'btc_live' group by hour(entry_ts) "
        "order by hour(entry_ts)"
    ).fetchall()
    assert drawn == [mean for (mean,) in expected]
    assert wide == "30%"
