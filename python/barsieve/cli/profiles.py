"""`barsieve config new`, `show` and `from-sweep`: profiles made and looked at."""

from pathlib import Path
from typing import Annotated, Any

import typer

from barsieve.cli.output import NOT_FOUND, REFUSED, AsJson, out, print_json, refusing
from barsieve.cli.texts import shown, text_table
from barsieve.core import paths

Force = Annotated[bool, typer.Option(help="Overwrite what exists.")]


def _market_symbols() -> list[str]:
    bars = (paths.project_dir() / paths.market_dir() / "bars").glob("*.parquet")
    return sorted(path.stem for path in bars)


def _write(profiles: list[dict[str, Any]], force: bool) -> list[Path]:
    from barsieve.core.model_lists import model_lists
    from barsieve.profiles.authoring import write_profiles

    folder = paths.project_dir() / paths.configs_dir()
    return write_profiles(folder, profiles, _market_symbols(), model_lists(), force)


def _print_written(written: list[Path], profiles: list[dict[str, Any]], as_json: bool):
    if as_json:
        print_json([
            {"written_to": str(path), "profile": profile}
            for path, profile in zip(written, profiles, strict=True)
        ])  # fmt: skip
        return
    for path in written:
        out.print(f"written: {path}", markup=False, highlight=False, soft_wrap=True)


def new(
    name: Annotated[str, typer.Argument(help="Name of the profile and of its file.")],
    symbols: Annotated[
        str, typer.Option(help="Symbol to trade; of several, comma-joined, one each.")
    ],
    extends: Annotated[
        str | None, typer.Option(help="Profile whose settings it keeps.")
    ] = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Write a new profile that says no more than it must: all else has its default.

    All domains weigh the same, unless it extends another profile. A profile
    trades one symbol: several get a profile each, NAME_symbol, of which the
    others extend the first.

    Example: barsieve config new swing --symbols BTC
    """
    from barsieve.core.model_lists import model_lists
    from barsieve.profiles.authoring import new_profiles

    with refusing(REFUSED):
        chosen = [symbol.strip() for symbol in symbols.split(",") if symbol.strip()]
        profiles = new_profiles(name, chosen, model_lists().domains, extends)
        written = _write(profiles, force)
    _print_written(written, profiles, as_json)
    if not as_json:
        out.print(
            f"barsieve config show {written[0].stem} lists what it says and what is "
            "by default; dbt build builds it",
            markup=False, highlight=False,
        )  # fmt: skip


def _rows_of(resolved) -> list[dict[str, Any]]:
    """Return every setting of a resolved profile, with where its value comes from."""
    from barsieve.profiles.diff import dotted, leaves
    from barsieve.profiles.resolution import DEFAULT

    rows = []
    for keys, value in leaves(resolved.document):
        source = resolved.source_of(*keys)
        is_own_symbol = keys == ("regime", "reference_symbol") and source == DEFAULT
        rows.append(
            {
                "key": dotted(keys),
                "value": value,
                "from": "symbol" if is_own_symbol else source,
            }
        )
    return rows


def show(
    profile: Annotated[str, typer.Argument(help="Profile: its name or its file.")],
    as_json: AsJson = False,
) -> None:
    """List every setting of a profile, with where its value comes from.

    That is its own file, one that it extends, or the default of the schema.

    Example: barsieve config show btc_live
    """
    from barsieve.profiles.diff import find_profile
    from barsieve.profiles.resolution import resolve

    with refusing(NOT_FOUND):
        path = find_profile(profile)
    with refusing(REFUSED):
        resolved = resolve(path)
    rows = _rows_of(resolved)
    if as_json:
        print_json({"profile": resolved.document["profile"], "settings": rows})
        return
    named = {str(path): "itself"}
    named |= {layer.source: Path(layer.source).stem for layer in resolved.layers[:-1]}
    lines = [
        [row["key"], shown(row["value"], 60), named.get(row["from"], row["from"])]
        for row in rows
    ]
    title = f"{resolved.document['profile']}: {len(rows)} settings"
    out.print(text_table(title, ["key", "value", "from"], lines))


def from_sweep(
    config: Annotated[str, typer.Argument(help="Configuration, as sweeps name it.")],
    name: Annotated[str, typer.Option(help="Name of the profile and of its file.")],
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Write a configuration of a sweep as a profile that says how many were tried.

    Its trades are those of the sweep. How many configurations the database
    has run over the same symbol stands in the profile (origin.tried) and,
    once it is built, in report_health: the best of many looks good by luck.

    Example: barsieve config from-sweep 0123456789abcdef --name eth_picked
    """
    from barsieve.database.connect import open_database
    from barsieve.profiles.authoring import of_configuration
    from barsieve.sweep.configurations import pick

    with refusing(REFUSED):
        with open_database(paths.database_path()) as connection:
            picked = pick(connection, config)
        made = of_configuration(picked.base, picked.row, name, picked.tried)
        written = _write([made], force)
    _print_written(written, [made], as_json)
    if not as_json:
        out.print(
            f"picked out of {picked.tried:,} configurations run over "
            f"{made['symbol']}: judge it by optimize and walk-forward, not by this",
            markup=False, highlight=False,
        )  # fmt: skip
