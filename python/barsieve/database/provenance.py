"""Provenance of a database: version, and hashes of code, configs and market."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from barsieve import __version__
from barsieve.core import paths

# What a project and each of its packages build from; lists of models are in the file.
CODE_FOLDERS = ("models", "macros", "seeds")
PROJECT_FILE = "dbt_project.yml"
CODE_SUFFIXES = {".sql", ".py", ".yml", ".csv", ".json"}


def fingerprint(files: Mapping[str, Path]) -> str:
    """Return a hash of files: the names that they go by, and their bytes."""
    digest = hashlib.sha256()
    for name, path in sorted(files.items()):
        digest.update(f"{name}\0{path.stat().st_size}\0".encode())
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()[:16]


def _below(folder: Path, *parts: str, suffixes: set[str]) -> dict[str, Path]:
    """Return the files below parts of a folder, by their names in the folder."""
    return {
        path.relative_to(folder).as_posix(): path
        for part in parts
        for path in (folder / part).rglob("*")
        if path.suffix in suffixes
    }


def _homes(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the project and its packages, after what the names of files begin with."""
    yield "", folder
    for package in sorted((folder / paths.PACKAGES).glob("*")):
        yield f"{paths.PACKAGES}/{package.name}/", package


def models_of(package: Path) -> dict[str, Path]:
    """Return the files that a project, or a package, makes tables of, and its lists."""
    file = package / PROJECT_FILE
    lists = {PROJECT_FILE: file} if file.exists() else {}
    return lists | _below(package, *CODE_FOLDERS, suffixes=CODE_SUFFIXES)


def _python_files(suffixes: set[str]) -> dict[str, Path]:
    """Return the files of the installed Python package, less the dbt package in it."""
    return {
        f"barsieve/{name}": path
        for name, path in _below(paths.PACKAGE, ".", suffixes=suffixes).items()
        if not name.startswith("package/")
    }


def _code_files(folder: Path) -> dict[str, Path]:
    models = {
        f"{prefix}{name}": path
        for prefix, home in _homes(folder)
        for name, path in models_of(home).items()
    }
    return models | _python_files(CODE_SUFFIXES)


def _macro_files(folder: Path) -> dict[str, Path]:
    return {
        f"{prefix}{name}": path
        for prefix, home in _homes(folder)
        for name, path in _below(home, "macros", suffixes={".sql"}).items()
    }


def code_hash(folder: Path) -> str:
    """Return the hash of the code of a project folder, as `build_info` holds it.

    Covers the project's own models, macros and seeds, those of its packages, the lists
    in their `dbt_project.yml`, and the installed Python package.
    """
    return fingerprint(_code_files(folder))


def market_hash(market: Path) -> str:
    """Return the hash of the files of a market folder, as `build_info` holds it."""
    parts = ("bars", "macro", "funding")
    return fingerprint(
        {
            path.relative_to(market).as_posix(): path
            for part in parts
            for path in (market / part).glob("*.parquet")
        }
    )


def configs_hash(configs: Path) -> str:
    """Return the hash of a folder of profiles, as `build_info` holds it."""
    files = _below(configs, ".", suffixes={".json"})
    # A schema beside the profiles is there for editors: nothing is built from it.
    return fingerprint(
        {name: path for name, path in files.items() if not path.match("*.schema.json")}
    )


def package_hash() -> str:
    """Return the hash of the installed Python package."""
    return fingerprint(_python_files({".py"}))


def hashes_now() -> dict[str, str]:
    """Return what the marks of tables are made of; see `barsieve.database.marks`."""
    folder = paths.project_dir()
    return {
        "market": market_hash(folder / paths.market_dir()),
        "configs": configs_hash(folder / paths.configs_dir()),
        "macros": fingerprint(_macro_files(folder)),
        "package": package_hash(),
    }


def describe_build() -> dict[str, Any]:
    """Return what a database built now would be built from."""
    folder = paths.project_dir()
    market = folder / paths.market_dir()
    return {
        "barsieve_version": __version__,
        **paths.about_market(market),
        "market_hash": market_hash(market),
        "configs_hash": configs_hash(folder / paths.configs_dir()),
        "code_hash": code_hash(folder),
    }
