"""Provenance of a database: version, and hashes of code, configs and market."""

import hashlib
import json
from pathlib import Path
from typing import Any

from barsieve import __version__
from barsieve.core import paths

CODE_FOLDERS = ("models", "macros", "seeds", "python/barsieve")
CODE_SUFFIXES = {".sql", ".py", ".yml", ".csv", ".json"}


def fingerprint(folder: Path, files: list[Path]) -> str:
    """Return a hash of files: their names below `folder` and their bytes."""
    digest = hashlib.sha256()
    for path in sorted(files):
        name = path.relative_to(folder).as_posix()
        digest.update(f"{name}\0{path.stat().st_size}\0".encode())
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()[:16]


def _code_files(folder: Path) -> list[Path]:
    return [
        path
        for part in CODE_FOLDERS
        for path in (folder / part).rglob("*")
        if path.suffix in CODE_SUFFIXES
    ]


def about_market(market: Path) -> dict[str, Any]:
    """Return name and kind of a market, from its `market.json` if it has one."""
    try:
        about = json.loads((market / "market.json").read_text())
    except (OSError, ValueError):
        about = {}
    return {
        "market_name": str(about.get("name", market.resolve().name)),
        "is_simulated": bool(about.get("is_simulated", False)),
    }


def code_hash(folder: Path) -> str:
    """Return the hash of the code of a project folder, as `build_info` holds it."""
    return fingerprint(folder, _code_files(folder))


def _market_hash(market: Path) -> str:
    files = [
        path for part in ("bars", "macro", "funding")
        for path in (market / part).glob("*.parquet")
    ]  # fmt: skip
    return fingerprint(market, files)


def _configs_hash(configs: Path) -> str:
    return fingerprint(configs, list(configs.rglob("*.json")))


def hashes_now() -> dict[str, str]:
    """Return what the marks of tables are made of; see `barsieve.database.marks`."""
    folder = paths.project_dir()
    macros, package = folder / "macros", paths.PACKAGE
    return {
        "market": _market_hash(folder / paths.market_dir()),
        "configs": _configs_hash(folder / paths.configs_dir()),
        "macros": fingerprint(macros, list(macros.rglob("*.sql"))),
        "package": fingerprint(package, list(package.rglob("*.py"))),
    }


def describe_build() -> dict[str, Any]:
    """Return what a database built now would be built from."""
    folder = paths.project_dir()
    market = folder / paths.market_dir()
    return {
        "barsieve_version": __version__,
        **about_market(market),
        "market_hash": _market_hash(market),
        "configs_hash": _configs_hash(folder / paths.configs_dir()),
        "code_hash": code_hash(folder),
    }
