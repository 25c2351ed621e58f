"""Settings of the configs: the one list of them, read from their JSON Schemas.

Whatever has a part for each setting is made of this list: the columns of the tables
`config_profiles` and `config_macro_signals`, and the record that the replay's kernel
reads. A setting may say
`column` where its column is not named as its key, and `default` where a profile may
leave it out. The tables are made of resolved profiles, which leave nothing out.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

SQL_TYPES = {
    "number": "double",
    "integer": "integer",
    "boolean": "boolean",
    "object": "json",
    "array": "varchar[]",
}
FORMATS = {"date-time": "timestamptz"}
# The models read whole numbers as 32-bit integers.
GREATEST_INTEGER = 2**31 - 1


class Setting(NamedTuple):
    """One setting: its dotted key in the JSON, its column and the type of that.

    `default` stands in where the key is left out; None where there is none. `codes`:
    the number that stands for each choice in the kernel; None where it reads none.
    """

    key: str
    column: str
    sql_type: str
    default: Any
    description: str
    is_nullable: bool
    codes: dict[str, int] | None

    @property
    def section(self) -> str:
        """Return the section of the JSON file that holds the setting."""
        return self.key.rpartition(".")[0]

    @property
    def sql(self) -> str:
        """Return the expression of the column over rows of one JSON object each."""
        arrow = "->" if self.sql_type in ("json", "varchar[]") else "->>"
        return f"(json {arrow} '$.{self.key}')::{self.sql_type} as {self.column}"


def load_schema(name: str) -> dict[str, Any]:
    """Return one of the JSON Schemas that ship in the package."""
    text = files("barsieve.profiles").joinpath(f"{name}.schema.json").read_text()
    schema: dict[str, Any] = json.loads(text)
    return schema


def leaves(schema: dict[str, Any], prefix: str = "") -> dict[str, dict[str, Any]]:
    """Return every setting of a schema by its dotted key, with its own schema.

    A key whose `column` is null is none: it says something of the file.
    """
    found: dict[str, dict[str, Any]] = {}
    for key, part in schema["properties"].items():
        if part.get("column", key) is None:
            continue
        inner = part["oneOf"][1] if "oneOf" in part else part
        if "properties" in inner:
            found |= leaves(inner, f"{prefix}{key}.")
        else:
            found[prefix + key] = part
    return found


def is_list_of_text(part: Mapping[str, Any]) -> bool:
    """Tell whether a setting, by its own schema, is a list of names."""
    return bool(part.get("items", {}).get("type") == "string")


def _sql_type(part: dict[str, Any]) -> str:
    """Return the type of a setting's column: the first that its own schema names."""
    if "oneOf" in part:
        return "json"
    kind = part.get("type", "string")
    named = kind if isinstance(kind, str) else kind[0]
    return SQL_TYPES.get(named) or FORMATS.get(part.get("format", ""), "varchar")


def _setting(key: str, part: dict[str, Any], column: str) -> Setting:
    return Setting(
        key=key,
        column=part.get("column", column),
        sql_type=_sql_type(part),
        default=part.get("default"),
        description=part["description"],
        is_nullable="null" in part.get("type", ""),
        codes=part.get("codes"),
    )


@cache
def settings(schema: str = "profile") -> tuple[Setting, ...]:
    """Return every setting of a schema that has a column, in the schema's order.

    A column is named as the key; that of a macro signal begins with the signal, whose
    keys are those of others too.
    """
    prefix = "{}__" if schema == "macro_signals" else ""
    found = []
    for key, part in load_schema(schema)["properties"].items():
        if part.get("column", key) is None:
            continue
        inner = part.get("properties", {})
        for name, own in inner.items():
            found.append(_setting(f"{key}.{name}", own, prefix.format(key) + name))
        if not inner:
            found.append(_setting(key, part, key))
    return tuple(found)
