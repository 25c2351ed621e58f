"""The documentation: notebooks run, pages are made, and no link leads nowhere."""

import os
import subprocess
import sys

import pytest

from conftest import PROJECT

NOTEBOOKS = sorted((PROJECT / "docs/notebooks").glob("*.ipynb"))

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(demo_build, path, tmp_path, monkeypatch):
    nbformat = pytest.importorskip("nbformat", reason="the extra docs is not installed")
    nbclient = pytest.importorskip("nbclient", reason="the extra docs is not installed")
    monkeypatch.setenv("BARSIEVE_DATABASE", str(demo_build.database))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(
        notebook, timeout=120, resources={"metadata": {"path": str(PROJECT)}}
    ).execute()
    # A cell that shows a table or a run shows it as a table.
    shown = [out for cell in notebook.cells for out in cell.get("outputs", ())]
    assert sum("text/html" in out.get("data", {}) for out in shown) >= 3


def test_a_notebook_is_kept_without_what_it_printed():
    assert len(NOTEBOOKS) == 2
    for path in NOTEBOOKS:
        assert '"outputs": []' in path.read_text()
        assert '"output_type"' not in path.read_text(), path


def test_the_site_is_made_and_no_link_leads_nowhere(tmp_path):
    pytest.importorskip("mkdocs", reason="the extra docs is not installed")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", tmp_path],
        cwd=PROJECT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    profile = (tmp_path / "reference/profile.html").read_text()
    assert "entry_threshold" in profile
    tables = (tmp_path / "reference/tables.html").read_text()
    assert "fusion_scores" in tables
    for page in tmp_path.rglob("*.html"):
        assert '<script src="http' not in page.read_text(), "asks another host"
