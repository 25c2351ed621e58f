"""What sees later rows is refused before a build, by its file and line."""

import json

import duckdb
import pytest

from barsieve.database.guard import faults_of, lookahead_problems, peeking_macros
from barsieve.database.sql_windows import faults_of_query
from conftest import PROJECT, run_dbt

OVER = "over (partition by symbol order by bar_index"
AHEAD = {
    f"select symbol, bar_ts, lead(close, 24) {OVER}) as x from f": "lead()",
    f"select avg(close) {OVER} rows between 5 preceding and 5 following) from f": (
        "rows that follow"
    ),
    f"select sum(close) {OVER} rows unbounded preceding) from f": "without a lower",
    f"select sum(close) {OVER}) from f": "without a lower bound",
    "select close / avg(close) over (partition by symbol) from f": "without order by",
    "select max(high) over (partition by symbol, bar_ts::date) from f": "without order",
    "select percent_rank() over (partition by symbol order by close) from f": (
        "among all rows"
    ),
    "select row_number() over (partition by symbol order by close) from f": (
        "among all rows"
    ),
    "select lag(close) over (partition by symbol order by bar_ts desc) from f": (
        "from the last to the first"
    ),
    f"select lag(close, -24) {OVER}) from f": "negative",
    "select f.bar_ts, f.close / s.mean from f inner join "
    "(select symbol, avg(close) as mean from f group by symbol) as s using (symbol)": (
        "avg() over all rows of history by symbol"
    ),
    "select bar_ts, (select quantile_cont(close, 0.9) from f) as top from f": (
        "quantile_cont() over all rows"
    ),
    "select f.symbol, f.bar_ts, later.close from f inner join f as later "
    "on f.symbol = later.symbol and later.bar_index = f.bar_index + 24": "join to rows",
    "select f.*, later.close from f inner join f as later "
    "on f.symbol = later.symbol and f.bar_ts < later.bar_ts": "join to rows later",
    "select f.symbol, f.bar_ts, later.close from f asof left join f as later "
    "on f.symbol = later.symbol and f.bar_ts + interval '1 day' >= later.bar_ts": (
        "join to rows later than those of f"
    ),
}
BOUNDED = [
    f"select avg(close) {OVER} rows between 19 preceding and current row) from f",
    f"select lag(close, 24) {OVER}) from f",
    f"select row_number() {OVER}) from f",
    "select rank() over (partition by bar_ts order by close) from f",
    "select 'lead(close) following' as text from f -- lead(close)",
    "select f.symbol, f.bar_ts, d.close from f asof left join d "
    "on f.symbol = d.symbol and f.bar_ts + interval '1 hour' >= d.known_at",
    "select f.bar_ts, (select avg(close) from f as past "
    "where past.bar_ts <= f.bar_ts and past.bar_index > f.bar_index - 9) from f",
    "select symbol, bar_ts, avg(score) from f group by symbol, bar_ts",
    "/* following */ select {# lead(x) #} leader, following_index from f",
]


@pytest.fixture(scope="module")
def parser():
    with duckdb.connect() as connection:
        yield connection


@pytest.mark.parametrize("query", AHEAD)
def test_what_sees_later_rows_is_told(parser, query):
    found = faults_of(parser, query, {})
    assert found
    assert any(AHEAD[query] in fault.what for fault in found)


@pytest.mark.parametrize("query", BOUNDED)
def test_what_was_known_is_not_told(parser, query):
    if "following_index" in query:
        assert not list(faults_of_query(parser, query))
    assert not faults_of(parser, query, {})


def row(model: str, raw: str, parents: list[str], **more) -> dict:
    """Return what dbt tells of a model."""
    return {
        "model": model, "layer": "mine", "language": "sql", "parents": parents,
        "sources": {}, "file": f"models/{model}.sql", "raw_code": raw,
    } | more  # fmt: skip


BARS = row("bars_1h", "select 1", [], sources={"market.bars": ""})
PEEK = "select\n    symbol,\n    lead(close) over w as x\nfrom {{ ref('bars_1h') }}"


def problems(*rows: dict, folder=PROJECT) -> list[str]:
    return [str(found) for found in lookahead_problems(json.dumps(rows), folder)]


def test_the_file_and_the_line_are_named():
    (told,) = problems(BARS, row("mine", PEEK, ["bars_1h"]))
    assert told.startswith("models/mine.sql:3: model mine")
    assert "found lead()" in told
    assert "lookahead_excused" in told


def test_a_model_is_excused_by_name_with_a_reason():
    assert not problems(BARS, row("mine", PEEK, ["bars_1h"], excused="labels only"))


def test_what_is_not_of_the_market_or_looks_back_on_decisions_may_look_anywhere():
    last = row("candidates", "select 1", ["bars_1h"])
    assert not problems(BARS, row("of_settings", PEEK, []))
    assert not problems(BARS, last, row("judged", PEEK, ["candidates"]))
    assert not problems(BARS, row("report_x", PEEK, ["bars_1h"], layer="reports"))


def test_a_macro_that_looks_ahead_is_told_where_it_is_called(tmp_path):
    (tmp_path / "macros").mkdir()
    (tmp_path / "macros/own.sql").write_text(
        "{# lead(x) #}\n{% macro next_of(x) %}\n  lead({{ x }}) over w\n"
        "{% endmacro %}\n"
        "{% macro twice(x) %}2 * {{ next_of(x) }}{% endmacro %}"
    )
    raw = "select\n  {{ twice('close') }} as x\nfrom {{ ref('bars_1h') }}"
    (told,) = problems(BARS, row("mine", raw, ["bars_1h"]), folder=tmp_path)
    assert told.startswith("models/mine.sql:2:")
    assert "macro twice, which has lead()" in told
    assert "macros/own.sql:3" in told
    files = sorted((PROJECT / "macros").glob("*.sql"))
    assert not peeking_macros(files, PROJECT)


@pytest.mark.slow
def test_a_build_refuses_what_looks_ahead_before_its_first_model(tmp_path):
    from test_build_models import own_project

    project = own_project(tmp_path)
    score = project / "models/scores/score_momentum.sql"
    score.write_text("-- lead(close)\n" + PEEK)
    where = ("--project-dir", str(project), "--profiles-dir", str(project))
    folder = tmp_path / "run"
    installed = run_dbt("deps", *where, folder=folder)
    assert installed.exit_code == 0, installed.output[-3000:]
    market = PROJECT / "data/demo"
    build = run_dbt("build", *where, folder=folder, BARSIEVE_MARKET=market)
    assert build.exit_code
    assert "models/scores/score_momentum.sql:4: model score_momentum" in build.output
    assert "OK created" not in build.output
