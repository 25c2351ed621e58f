"""The page: skeletons, style, drawing and numbers in one file."""

import base64
import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

from duckdb import BinderException, CatalogException

from barsieve.core.errors import refuse
from barsieve.core.files import written_whole
from barsieve.report.sections import SECTIONS
from barsieve.report.source import Source, open_source
from barsieve.report.verdict import Verdict, read_verdict

PAGE = Path(__file__).parent / "page"
# Says that a file is ours and may be written over.
MARK = '<meta name="generator" content="barsieve report">'

SCRIPTS_BEFORE = (
    "columns.js",
    "format.js",
    "page.js",
    "charts.js",
    "bind.js",
    "trade_text.js",
    "trade.js",
    "level_of_detail.js",
    "price_series.js",
)
# Models that the guard against lookahead passes over, with the reason.
EXCUSED = """
    select model, excused from build_models where excused is not null order by model
"""
SCRIPTS_AFTER = ("main.js",)


@dataclass(frozen=True)
class Written:
    """A report on disk: where, how large, of which profiles, with which verdict."""

    path: Path
    size_bytes: int
    profiles: list[str]
    verdict: str
    left_out: list[str]


def _json(document: Any) -> str:
    """Return JSON that cannot end the script element it stands in."""
    text = json.dumps(document, separators=(",", ":"), allow_nan=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _hash(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def page_script() -> str:
    """Return our part of the page's scripts, as one: they share their names."""
    names = [*SCRIPTS_BEFORE, *(f"{s.key}.js" for s in SECTIONS), *SCRIPTS_AFTER]
    parts = [(PAGE / name).read_text("utf-8") for name in names]
    return '"use strict";\n(() => {\n' + "\n".join(parts) + "\n})();"


def _scripts() -> list[str]:
    return [(PAGE / "vendor" / "echarts.min.js").read_text("utf-8"), page_script()]


def _template() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(PAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["utc"] = _utc
    return environment.get_template("report.html")


def _utc(seconds: float | None, pattern: str = "%Y-%m-%d %H:%M") -> str:
    from datetime import UTC, datetime

    if seconds is None:
        return "unknown"
    return datetime.fromtimestamp(seconds, UTC).strftime(pattern)


def _sections(source: Source) -> list[dict[str, Any]]:
    shown = []
    for section in SECTIONS:
        if not section.is_shown(source):
            continue
        absence = section.absence(source)
        shown.append(
            {
                "key": section.key,
                "title": section.title,
                "tables": section.tables,
                "absence": absence,
                "collected": None if absence else section.collect(source),
            }
        )
    return shown


def render(source: Source, verdict: Verdict) -> str:
    """Return the page as text."""
    sections = _sections(source)
    collected = {s["key"]: s["collected"] for s in sections if s["collected"]}
    document = {
        "profiles": source.profiles,
        "symbols": source.symbols,
        "verdict": asdict(verdict),
        "sections": collected,
    }
    scripts = _scripts()
    page: str = _template().render(
        build=source.rows("from build_info")[0],
        excused=source.rows(EXCUSED),
        profiles=source.profiles,
        verdict=verdict,
        sections=sections,
        style=(PAGE / "style.css").read_text("utf-8"),
        scripts=scripts,
        script_hashes=" ".join(_hash(script) for script in scripts),
        document=_json(document),
        columns=source.pack.encode(),
        mark=MARK,
    )
    return page


def _refuse_models(database: Path, error: Exception) -> NoReturn:
    expected, found = "tables of this version's models", str(error).splitlines()[0]
    refuse(str(database), expected=expected, found=found, fix="dbt build")


def _refuse(path: Path, expected: str, found: str) -> NoReturn:
    fix = "choose another file with --to"
    refuse(str(path), expected=expected, found=found, fix=fix)


def check_target(path: Path) -> None:
    """Raise InputError when the file is not ours to write."""
    if path.is_dir():
        _refuse(path, "a file to write", "a folder")
    if not path.parent.is_dir():
        _refuse(path, "a file in a folder that exists", "no such folder")
    if path.exists():
        with path.open("rb") as stream:
            head = stream.read(4096)
        if head and MARK.encode() not in head:
            _refuse(path, "a new file or an older report", "another file")


def write_report(database: Path, path: Path, profiles: list[str]) -> Written:
    """Write the report of a built database, of some profiles or (none named) of all.

    Raises InputError when there is no whole database, no such profile, or when the
    file is not ours to write.
    """
    check_target(path)
    source = open_source(database, profiles)
    try:
        verdict = read_verdict(source)
        text = render(source, verdict)
    except (BinderException, CatalogException) as error:
        _refuse_models(database, error)
    try:
        with written_whole(path) as partial:
            partial.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        _refuse(path, "a file that can be written", str(error.strerror))
    return Written(
        path,
        path.stat().st_size,
        list(dict.fromkeys(entry["profile"] for entry in source.profiles)),
        verdict.kind,
        [s.title for s in SECTIONS if s.is_shown(source) and s.absence(source)],
    )
