"""The page docs/python.md: its examples run, in its order, and show what they say."""

import contextlib
import io
import re

import pytest

from conftest import PROJECT

pytestmark = pytest.mark.slow

PAGE = (PROJECT / "docs/python.md").read_text()
BLOCK = re.compile(r"^```(\w+)(.*?)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
BLOCKS = [(kind, note.strip(), code) for kind, note, code in BLOCK.findall(PAGE)]


def test_every_example_is_python():
    examples = [code for kind, _, code in BLOCKS if kind == "python"]
    assert len(examples) > 10
    for code in examples:
        compile(code, "docs/python.md", "exec")


def test_the_examples_run_in_their_order(demo_build, tmp_path, monkeypatch):
    for library in ("pandas", "plotly", "scipy"):
        pytest.importorskip(library)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BARSIEVE_DATABASE", str(demo_build.database))
    names: dict[str, object] = {}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        for kind, note, code in BLOCKS:
            # A note says of an example that it takes too long.
            if kind == "python" and not note:
                exec(compile(code, f"docs/python.md: {code[:40]}", "exec"), names)
    run = names["run"]
    said = shown_of("btc_live, BTC").split()
    assert repr(run).split()[: len(said)] == said
    assert printed.getvalue() == shown_of("set stop_atr=2.5")
    assert (tmp_path / "run.html").stat().st_size > 100_000


def shown_of(first: str) -> str:
    """Return what the page says that an example prints, up to its three dots."""
    [text] = [code for kind, _, code in BLOCKS if code.startswith(first)]
    return text.removesuffix("...\n")
