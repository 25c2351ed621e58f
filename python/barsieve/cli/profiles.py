"""`barsieve config new`, `show` and `from-sweep`: profiles made and looked at."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from barsieve.cli.output import NOT_FOUND, REFUSED, AsJson, out, print_json, refusing
from barsieve.cli.texts import shown, text_table
from barsieve.core import paths


class Wallet(StrEnum):
    """Kinds of wallet."""

    separate = "separate"
    shared = "shared"


Force = Annotated[bool, typer.Option(help="Overwrite what exists.")]


def _market_symbols() -> list[str]:
    bars = (paths.project_dir() / paths.market_dir() / "bars").glob("*.parquet")
    return sorted(path.stem for path in bars)


def _write(profile: dict[str, Any], force: bool) -> Path:
    from barsieve.core.model_lists import model_lists
    from barsieve.profiles.authoring import write_profile

    folder = paths.project_dir() / paths.configs_dir()
    return write_profile(folder, profile, _market_symbols(), model_lists(), force)


def _print_written(path: Path, profile: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json({"written_to": str(path), "profile": profile})
    else:
        out.print(f"written: {path}", markup=False, highlight=False, soft_wrap=True)


def new(
    name: Annotated[str, typer.Argument(help="Name of the profile and of its file.")],
    symbols: Annotated[
        str,
        typer.Option(help="Symbols to trade, comma-joined; '*' for all of the market."),
    ],
    extends: Annotated[
        str | None, typer.Option(help="Profile whose settings it keeps.")
    ] = None,
    wallet: Annotated[
        Wallet | None,
        typer.Option(help="An account for each symbol (the default), or one for all."),
    ] = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Write a new profile that says no more than it must: all else has its default.

    All domains weigh the same, unless it extends another profile. Each symbol
    trades with an account of its own, unless they share a wallet.

    Example: barsieve config new swing --symbols BTC,ETH --wallet shared
    """
    from barsieve.core.model_lists import model_lists
    from barsieve.profiles.authoring import new_profile

    with refusing(REFUSED):
        chosen = [symbol.strip() for symbol in symbols.split(",") if symbol.strip()]
        kind = wallet.value if wallet else None
        made = new_profile(name, chosen, model_lists().domains, extends, kind)
        written = _write(made, force)
    _print_written(written, made, as_json)
    if not as_json:
        out.print(
            f"barsieve config show {written.stem} lists what it says and what is "
            "by default; dbt build builds it",
            markup=False, highlight=False,
        )  # fmt: skip


def _rows_of(resolved) -> list[dict[str, Any]]:
    """Return every setting of a resolved profile, with where its value comes from."""
    from barsieve.profiles.diff import dotted, leaves

    return [
        {"key": dotted(keys), "value": value, "from": resolved.source_of(*keys)}
        for keys, value in leaves(resolved.document)
    ]


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
        written = _write(made, force)
    _print_written(written, made, as_json)
    if not as_json:
        traded = ", ".join(made["symbols"])
        out.print(
            f"picked out of {picked.tried:,} configurations run over {traded}: "
            "judge it by optimize and walk-forward, not by this",
            markup=False, highlight=False,
        )  # fmt: skip
