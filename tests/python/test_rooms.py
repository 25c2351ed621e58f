"""Rooms of the package: what each may import, as docs/architecture.md draws them."""

import ast
from pathlib import Path

import pytest

from conftest import PROJECT

PACKAGE = PROJECT / "python/barsieve"

# Room: the rooms that it may import, beside its own and the package's version.
ROOMS = {
    "core": set(),
    "profiles": {"core"},
    "market": {"core"},
    "ingest": {"core", "market"},
    "project": {"core", "market"},
    "oracle": {"core"},
    "replay": {"core", "profiles"},
    "signals": {"core", "profiles", "replay"},
    "database": {"core", "profiles", "market"},
    "metrics": {"core", "profiles", "replay", "signals"},
    "regime": {"core", "profiles", "replay", "signals", "database", "metrics"},
    "sweep": {
        "core", "profiles", "replay", "signals", "database", "metrics",
    },
    "learning": {
        "core", "profiles", "replay", "signals", "database", "metrics", "regime",
        "sweep",
    },
    "analysis": {
        "core", "profiles", "replay", "signals", "database", "metrics", "regime",
        "sweep", "learning",
    },
    "proof": {"core", "market", "database"},
    "report": {"core", "database", "metrics"},
    "parts": {"core", "database"},
    "live": {
        "core", "profiles", "market", "ingest", "database", "replay", "analysis",
        "proof", "report",
    },
    "api": {
        "core", "profiles", "replay", "signals", "database", "metrics", "regime",
        "sweep", "learning", "analysis", "report", "proof",
    },
    "bench": {
        "core", "profiles", "market", "ingest", "replay", "signals", "database",
        "metrics", "regime", "sweep", "learning", "analysis", "live",
    },
}  # fmt: skip
ROOMS["cli"] = set(ROOMS)
# What lies beside the rooms: the version, and the way into the command line.
DOORS = {"__init__": {"api", "core", "database"}, "__main__": {"cli", "replay"}}


def room_of(path: Path) -> str:
    """Return the room that a module lies in, or its own name beside them."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported_rooms(source: str) -> set[str]:
    """Return what a module imports of the package, by the first name after it."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= set(inner if node.module == "barsieve" else [node.module])
    names = {name.split(".")[1] for name in found if name.startswith("barsieve.")}
    return names - {"__version__"}


def beyond(room: str, source: str) -> set[str]:
    """Return the rooms that a module of a room imports and may not."""
    allowed = DOORS[room] if room in DOORS else ROOMS[room]
    return imported_rooms(source) - allowed - {room}


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE))
)
def test_a_module_imports_what_its_room_may(path: Path):
    assert not beyond(room_of(path), path.read_text())


def test_an_import_against_the_order_is_seen():
    assert beyond("core", "from barsieve import schemas, __version__") == {"schemas"}
    assert beyond("replay", "def f():\n    import barsieve.sweep.run") == {"sweep"}
    assert not beyond("cli", "from barsieve.ingest.fred import fred")


def test_only_the_command_line_reads_legacy_configs():
    for path in PACKAGE.rglob("*.py"):
        if path.parts[-2] != "legacy" and room_of(path) != "cli":
            assert "profiles.legacy" not in path.read_text(), path


# They listen on the loopback address, and ask nobody.
LISTENS = {
    PACKAGE / "live/page/server.py": {"socket"},
    PACKAGE / "bench/live/market.py": {"http", "urllib"},
}


def test_only_ingest_opens_a_socket():
    libraries = {"ccxt", "requests", "socket", "urllib", "http", "yfinance"}
    for path in PACKAGE.rglob("*.py"):
        names = {
            name.split(".")[0]
            for node in ast.walk(ast.parse(path.read_text()))
            for name in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
        }
        allowed = LISTENS.get(path, set())
        found = names & libraries - allowed
        assert room_of(path) == "ingest" or not found, path
