"""Reference pages of the site, made of the schemas and the models' YAML.

A hook of mkdocs: the pages are made with the site and nothing of them is kept.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

import barsieve
from barsieve.profiles.schema import leaves, load_schema

PROJECT = Path(__file__).parents[2]
BLOCK = re.compile(r"{% docs (\w+) %}\s*(.*?)\s*{% enddocs %}", re.DOTALL)
PASSAGES = dict(BLOCK.findall((PROJECT / "models/docs.md").read_text()))


def cell(value: object) -> str:
    """Return a text as a cell of a table, one line."""
    return " ".join(str(value).split()).replace("|", "\\|")


def table(head: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(map(cell, line)) + " |" for line in lines)


def kind_of(part: dict[str, Any]) -> str:
    """Return what a setting may be, in words."""
    if "enum" in part:
        return ", ".join(f"`{choice}`" for choice in part["enum"])
    if "oneOf" in part:
        return " or ".join(kind_of(choice) for choice in part["oneOf"])
    types = part.get("type", "")
    kind = " or ".join(types) if isinstance(types, list) else types
    least = [f"{part['minimum']} or more"] if "minimum" in part else []
    least += [f"over {part['exclusiveMinimum']}"] if "exclusiveMinimum" in part else []
    most = [f"{part['maximum']} or less"] if "maximum" in part else []
    most += [f"under {part['exclusiveMaximum']}"] if "exclusiveMaximum" in part else []
    return ", ".join([kind, *least, *most])


def settings(name: str) -> str:
    """Return the settings of a schema, a table a section."""
    sections: dict[str, list[tuple[object, ...]]] = {}
    for key, part in leaves(load_schema(name)).items():
        section, _, last = key.rpartition(".")
        default = f"`{part['default']}`" if "default" in part else ""
        row = (f"`{last}`", kind_of(part), default, part.get("description", ""))
        sections.setdefault(section, []).append(row)
    parts = []
    for section, rows in sections.items():
        parts.append(f"## {section or 'The profile itself'}\n")
        parts.append(table(("key", "value", "default", "meaning"), rows) + "\n")
    return "\n".join(parts)


def described(text: str) -> str:
    """Return a description with the passages that it refers to."""
    return re.sub(
        r"{{\s*doc\('(\w+)'\)\s*}}", lambda found: PASSAGES[found.group(1)], text
    )


def models() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the models with their layers, in the order of the flow."""
    project = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())
    for layer in project["models"]["barsieve"]:
        for path in sorted((PROJECT / "models" / layer).glob("*.yml")):
            content = yaml.safe_load(path.read_text())
            for model in content.get("models", []):
                yield layer, model


def described_tables() -> str:
    """Return the tables that have a contract, with their columns."""
    parts, last = [], ""
    for layer, model in models():
        if not model.get("config", {}).get("contract", {}).get("enforced"):
            continue
        if layer != last:
            parts.append(f"## {layer}\n")
            last = layer
        parts.append(f"### {model['name']}\n")
        parts.append(described(model["description"]) + "\n")
        grain = model["config"].get("meta", {}).get("grain")
        if grain:
            parts.append(
                "One row per " + ", ".join(f"`{key}`" for key in grain) + ".\n"
            )
        rows = [
            (f"`{c['name']}`", c.get("data_type", ""), described(c["description"]))
            for c in model.get("columns", [])
            if c.get("description")
        ]
        if rows:
            parts.append(table(("column", "type", "meaning"), rows) + "\n")
    return "\n".join(parts)


def public_names() -> str:
    """Return what mkdocstrings shows of the package."""
    return "\n\n".join(
        f"::: barsieve.{name}" for name in getattr(barsieve, "__all__", ())
    )


def decisions() -> str:
    """Return the decisions as a list, titled by their first lines."""
    lines = []
    for path in sorted((PROJECT / "docs/decisions").glob("*.md")):
        title = path.read_text().splitlines()[0].lstrip("# ")
        lines.append(f"- [{title}](../decisions/{path.name})")
    return "\n".join(lines) + "\n"


class Page(NamedTuple):
    """A page: its place, its title, a sentence, what follows."""

    place: str
    title: str
    says: str
    body: str


def pages() -> list[Page]:
    """Return the pages that are made."""
    return [
        Page(
            "profile.md",
            "Keys of a profile",
            "Every setting, from the schema that checks it (`barsieve config schema`).",
            settings("profile"),
        ),
        Page(
            "macro-signals.md",
            "Thresholds of macro signals",
            "Every setting of `configs/shared/macro_signals.json`.",
            settings("macro_signals"),
        ),
        Page(
            "tables.md",
            "Columns of the tables",
            "Every table under contract, in the order of the flow.",
            described_tables(),
        ),
        Page("python.md", "Python, name by name", "`import barsieve`", public_names()),
        Page(
            "decisions.md",
            "Decisions",
            "One page each: what was chosen, why, and what was not.",
            decisions(),
        ),
    ]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages to those of the folder."""
    for page in pages():
        text = f"# {page.title}\n\n{page.says}\n\n{page.body}"
        files.append(File.generated(config, f"reference/{page.place}", content=text))
    return files
