"""One build per session, shared by every test that reads a database."""

import os
import signal
import tempfile
from functools import cache
from pathlib import Path

import pytest
import typer.testing

from barsieve.core.remembered import REMEMBERED
from builds import PROJECT, Build, built_once, run_dbt, spine_once

__all__ = ["PROJECT", "Build", "run_dbt"]

REAL_MARKET = Path(
    os.environ.get("BARSIEVE_REAL_MARKET", PROJECT.parent / "shared" / "market")
)


# What one run of the tests has fitted is remembered until its end, by all processes.
if REMEMBERED not in os.environ:
    _memory = tempfile.TemporaryDirectory(prefix="remembered-")
    os.environ[REMEMBERED] = _memory.name

# Data are small and tests run side by side: threads of OpenMP would wait for a core.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# The tree of commands is made once: it is the same for every call of a test.
typer.testing._get_command = cache(typer.testing._get_command)

SLOW_FIRST = Path(__file__).with_name("slow_first.txt").read_text().split()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the slowest files first: a long one at the end keeps one core waiting."""
    place = {name: number for number, name in enumerate(SLOW_FIRST)}
    items.sort(key=lambda item: place.get(item.path.name, len(place)))


@pytest.fixture(scope="session")
def real_market() -> Path:
    """The real market, in place; never copied into the project."""
    if not (REAL_MARKET / "bars").is_dir():
        pytest.skip(f"the real market is not at {REAL_MARKET}")
    return REAL_MARKET


@pytest.fixture(scope="session")
def shared(tmp_path_factory) -> Path:
    """A folder that all processes of this run of the tests have in common."""
    own = tmp_path_factory.getbasetemp()
    folder = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    os.environ["SHARED_BY_TESTS"] = str(folder)
    return folder


@pytest.fixture(scope="session")
def demo_build(shared) -> Build:
    """`dbt build` of the shipped demo market, tests included."""
    return built_once(shared, "demo")


@pytest.fixture(scope="session")
def real_build(shared, real_market) -> Build:
    """`dbt build` of the real market, tests included."""
    return built_once(shared, "real", BARSIEVE_MARKET=real_market)


@pytest.fixture(scope="session")
def spine_build(shared) -> Build:
    """`barsieve build --strict` without what learns, of the demo and two profiles more.

    One of the two never trades, the other breaks its word; so it exits with 1. It has
    one thread: what it has in common with `demo_build` must be the same all the same.
    """
    return spine_once(shared)


@pytest.fixture
def ctrl_c_is_heard():
    """SIGINT interrupts, here and in what is started, even where it was ignored.

    A shell starts what runs in the background with SIGINT ignored, and processes
    inherit that; one that handles a signal starts others with its default.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def demo(demo_build):
    """A read-only connection to the built demo."""
    with demo_build.connect() as connection:
        yield connection


@pytest.fixture(scope="module")
def browser():
    """A browser without a window; skipped, with a reason, where there is none."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed"
    )
    from barsieve.report.picture import find_browser

    path = find_browser()
    if path is None:
        pytest.skip("no chromium, chromium-browser or google-chrome is installed")
    with playwright.sync_playwright() as running:
        window = running.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield window
        window.close()


@pytest.fixture(scope="module")
def report(demo_build, tmp_path_factory) -> Path:
    """The report of the demo market."""
    from barsieve.report import write_report

    path = tmp_path_factory.mktemp("report") / "demo.html"
    write_report(demo_build.database, path, [])
    return path


@pytest.fixture(scope="module")
def page(browser, report):
    """One visit that many tests read and move about in."""
    from report_browser import visit

    with visit(browser, report) as visited:
        yield visited
