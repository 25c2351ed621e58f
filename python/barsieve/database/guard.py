"""Guard against lookahead in SQL, before any model is built.

It reads what models say, not what they give: `barsieve prove` shows that. Comments and
texts are left out; DuckDB's own parser reads the rest, as far as it is SQL before dbt
has filled in its macros. A macro that looks ahead is told where a model calls it.
"""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from barsieve.core.errors import Problem
from barsieve.database.flow import flow_of
from barsieve.database.models import Model, Models, macro_files
from barsieve.database.sql_windows import faults_of_query

FIX = (
    "use what was known at the bar's close, or say why it may in the model's YAML: "
    'meta: {lookahead_excused: "..."}'
)
WORDS = {
    r"\blead\s*\(": "lead(), which reads later rows",
    r"\bfollowing\b": "a frame with rows that follow",
    r"\bunbounded\s+preceding\b": "a frame without a lower bound",
}
# Comments of SQL and of jinja, texts and quoted names; what is no text is kept.
NO_CODE = re.compile(r"""--[^\n]*|/\*.*?\*/|\{\#.*?\#\}|'(?:[^']|'')*'""", re.DOTALL)
MACRO = re.compile(
    r"\{%-?\s*macro\s+(\w+)\s*\(.*?%\}(.*?)\{%-?\s*endmacro\s*-?%\}", re.DOTALL
)
REF = re.compile(r"\{\{-?\s*(?:ref|source)\s*\((.*?)\)\s*-?\}\}", re.DOTALL)
JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)


class Fault(NamedTuple):
    """Something that looks ahead: where in a text, and what it is."""

    place: int
    what: str


class Peek(NamedTuple):
    """A macro that looks ahead: its file and line, and what it has."""

    file: str
    line: int
    what: str


def _blank(found: re.Match[str]) -> str:
    """Return what takes the place of a comment or text: as long, with its lines."""
    text = found[0]
    kept = re.sub(r"[^\n]", " ", text)
    return f"'{kept[1:-1]}'" if text[0] == "'" else kept


def code_of(text: str) -> str:
    """Return a text without its comments and what its texts say, place by place."""
    return NO_CODE.sub(_blank, text)


def _word_faults(code: str) -> Iterator[Fault]:
    for pattern, what in WORDS.items():
        for found in re.finditer(pattern, code, re.IGNORECASE):
            yield Fault(found.start(), what)


def _as_sql(found: re.Match[str]) -> str:
    """Return what stands for jinja in SQL: a name as long as it, or nothing."""
    text = found[0]
    kept = re.sub(r"[^\n]", " ", text)
    if text.startswith(("{%", "{{-")):
        return kept
    return "jinja" + kept[5:]


def _named(found: re.Match[str], raw: str) -> str:
    """Return the table that a `ref` or `source` names, as long as that."""
    told = raw[found.start(1) : found.end(1)]
    name = re.sub(r"\W", "", told.split(",")[-1]) or "jinja"
    return (name + re.sub(r"[^\n]", " ", found[0])[len(name) :])[: len(found[0])]


def sql_of(raw: str) -> str:
    """Return a model's text as SQL: names in place of what dbt fills in."""
    code = code_of(raw)
    code = REF.sub(lambda found: _named(found, raw), code)
    return JINJA.sub(_as_sql, code)


def peeking_macros(files: Iterable[Path], folder: Path) -> dict[str, Peek]:
    """Return the macros that look ahead, themselves or by those that they call."""
    bodies: dict[str, str] = {}
    found: dict[str, Peek] = {}
    for path in files:
        code = code_of(path.read_text())
        for macro in MACRO.finditer(code):
            name, body = macro[1], macro[2]
            bodies[name] = body
            for fault in _word_faults(body):
                line = code.count("\n", 0, macro.start(2) + fault.place) + 1
                where = path.relative_to(folder).as_posix()
                found[name] = Peek(where, line, fault.what)
    is_growing = True
    while is_growing:
        callers = {
            name: found[called]
            for called in found
            for name, body in bodies.items()
            if name not in found and re.search(rf"\b{called}\s*\(", body)
        }
        found |= callers
        is_growing = bool(callers)
    return found


def faults_of(
    connection: duckdb.DuckDBPyConnection, raw: str, macros: dict[str, Peek]
) -> list[Fault]:
    """Return what looks ahead in the text of a model, in the order of its lines."""
    code = code_of(raw)
    found = list(_word_faults(code))
    for name, peek in macros.items():
        for call in re.finditer(rf"\b{name}\s*\(", code):
            what = f"macro {name}, which has {peek.what} ({peek.file}:{peek.line})"
            found.append(Fault(call.start(), what))
    found += [Fault(*fault) for fault in faults_of_query(connection, sql_of(raw))]
    by_line = {(raw.count("\n", 0, fault.place), fault.what): fault for fault in found}
    return [by_line[place] for place in sorted(by_line)]


def _as_model(record: dict[str, Any]) -> Model:
    fields = dict.fromkeys(Model._fields) | record
    fields["compiled_code"] = record.get("raw_code")
    known: dict[str, Any] = {name: fields[name] for name in Model._fields}
    return Model(**known)


def lookahead_problems(rows: str, folder: Path) -> list[Problem]:
    """Return what looks ahead in the models from the market to the candidates.

    `rows` is JSON of what dbt knows of each model: the fields of a `Model`, and its
    text as `raw_code`. An excused model, and one in Python, has none.
    """
    models = Models({row["model"]: _as_model(row) for row in json.loads(rows)})
    between = flow_of(models).between
    macros = peeking_macros(macro_files(folder), folder)
    problems = []
    with duckdb.connect() as connection:
        for name in between:
            model = models[name]
            if model.excused or model.language == "python":
                continue
            raw = model.compiled_code or ""
            problems += [
                Problem(
                    f"{model.file}:{raw.count(chr(10), 0, fault.place) + 1}",
                    f"model {name}",
                    expected="rows made of what was known at a bar's close",
                    found=fault.what,
                    fix=FIX,
                )
                for fault in faults_of(connection, raw, macros)
            ]
    return problems
