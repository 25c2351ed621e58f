"""A project of one's own: begun in an empty folder, renewed, never overwritten."""

import json
import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from barsieve.cli import app
from barsieve.core import extras, paths
from barsieve.core.errors import InputError
from barsieve.database.packages import package_problems
from barsieve.database.provenance import code_hash, hashes_now
from barsieve.project import files, renew, start
from barsieve.project.files import RECORD
from conftest import PROJECT

MACROS = {path: path.read_text() for path in sorted(PROJECT.glob("macros/*.sql"))}


def link_package(folder: Path) -> None:
    """Do what `dbt deps` does, without its three seconds."""
    place = folder / paths.OURS
    place.parent.mkdir(exist_ok=True)
    place.unlink(missing_ok=True)
    place.symlink_to(paths.dbt_package())


@pytest.fixture
def quick(monkeypatch):
    for module in (start, renew):
        monkeypatch.setattr(module, "fetch_packages", link_package)


@pytest.fixture
def desk(quick, tmp_path, monkeypatch) -> Path:
    monkeypatch.delenv("BARSIEVE_MARKET", raising=False)
    start.start_project(tmp_path / "desk", with_demo=False)
    monkeypatch.chdir(tmp_path / "desk")
    return tmp_path / "desk"


def run(*arguments: str):
    return CliRunner().invoke(app, list(arguments))


def texts(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob("*")
        if path.is_file() and paths.PACKAGES not in path.parts
    }


def test_a_project_begins_with_all_that_dbt_build_needs(desk):
    made = texts(desk)
    assert {
        "dbt_project.yml", "packages.yml", "profiles.yml", "README.md", ".gitignore",
        "models/scores/score_drift.sql", "models/scores/score_drift.yml",
        "configs/eth_drift.json", "configs/shared/macro_signals.json", RECORD,
    } == set(made)  # fmt: skip
    assert made["profiles.yml"] == (PROJECT / "profiles.yml").read_text()
    assert str(paths.dbt_package()) in made["packages.yml"]
    assert not [name for name, text in made.items() if re.search(r"\$\w", text)]
    assert package_problems(desk) == []


@pytest.mark.parametrize(
    ("there", "found"),
    [
        ("file", "a file"),
        ("thesis.tex", "thesis.tex in it"),
        (".gitignore", ".gitignore in it"),
        ("a b c d e f", "a, b, c, d and 2 more in it"),
    ],
)
def test_a_folder_that_holds_something_is_refused_and_untouched(
    quick, tmp_path, there, found
):
    folder = tmp_path / "desk"
    if there == "file":
        folder.write_text("x")
    else:
        folder.mkdir()
        for name in there.split():
            (folder / name).write_text("x")
    done = run("init", str(folder))
    assert done.exit_code == 1
    assert f"expected a new or an empty folder, found {found}" in done.output
    assert "fix:" in done.output
    assert [path.name for path in tmp_path.iterdir()] == ["desk"]
    assert folder.is_file() or {path.read_text() for path in folder.iterdir()} == {"x"}


@pytest.mark.parametrize("name", ["barsieve", "Barsieve", "---"])
def test_a_name_that_dbt_could_not_tell_from_the_package_is_refused(
    quick, tmp_path, name
):
    done = run("init", str(tmp_path / name))
    assert done.exit_code == 1
    assert f"found '{name}'" in done.output
    assert list(tmp_path.iterdir()) == []


def test_names_are_put_in_the_letters_of_dbt():
    assert files.name_for(Path("/a/My desk-2")) == "my_desk_2"
    assert files.name_for(Path("/a/2024")) == "project_2024"


def test_a_folder_that_holds_only_what_is_hidden_is_begun_in(quick, tmp_path):
    folder = tmp_path / "desk"
    (folder / ".git").mkdir(parents=True)
    assert start.start_project(folder, with_demo=False) == "desk"
    assert (folder / ".git").is_dir()
    assert package_problems(folder) == []


def test_what_cannot_be_made_whole_is_not_there(monkeypatch, tmp_path):
    def fail(folder: Path) -> None:
        assert (folder / "dbt_project.yml").exists()
        raise InputError([])

    monkeypatch.setattr(start, "fetch_packages", fail)
    with pytest.raises(InputError):
        start.start_project(tmp_path / "desk", with_demo=False)
    assert list(tmp_path.iterdir()) == []
    assert run("init").exit_code == 2
    assert "no folder" in run("init", str(tmp_path / "a/b")).output


def test_a_place_that_cannot_be_written_is_named(quick, tmp_path, monkeypatch):
    def full(path: Path, text: str) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(start, "write", full)
    done = run("init", str(tmp_path / "desk"))
    assert done.exit_code == 1
    assert "No space left on device" in done.output
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_text_stays_as_it_is(desk):
    (desk / "README.md").write_bytes(b"\xff\xfe")
    done = run("init", "--upgrade")
    assert done.exit_code == 0
    assert (desk / "README.md").read_bytes() == b"\xff\xfe"


def as_of_an_older_version(folder: Path) -> None:
    """Let the files of a project be what another version of init wrote."""
    record = json.loads((folder / RECORD).read_text())
    for name in ("README.md", "dbt_project.yml", "profiles.yml"):
        path = folder / name
        path.write_text("# of old\n" + path.read_text())
        record["files"][name] = files.hash_of(path.read_text())
    packages = folder / "packages.yml"
    packages.write_text(
        packages.read_text().replace(record["package"], "/old/package")
        + "  - local: ../mine\n"
    )
    (folder / RECORD).write_text(
        json.dumps(record | {"package": "/old/package", "version": "0.0.9"})
    )


def test_an_upgrade_renews_what_init_wrote_and_nothing_else(desk):
    now = texts(desk)
    as_of_an_older_version(desk)
    (desk / "profiles.yml").write_text("mine\n")
    (desk / "README.md").unlink()
    (desk / "models/scores/score_drift.sql").write_text("select 1\n")
    (desk / "configs/eth_drift.json").unlink()
    (desk / "models").joinpath("own.sql").write_text("select 2\n")
    done = run("init", "--upgrade")
    assert done.exit_code == 0, done.output
    assert "was 0.0.9" in done.output
    assert "replaced: packages.yml, dbt_project.yml" in done.output
    assert "kept, for you changed them since: profiles.yml; --overwrite" in done.output
    then = texts(desk)
    assert then["dbt_project.yml"] == now["dbt_project.yml"]
    assert then["packages.yml"] == now["packages.yml"] + "  - local: ../mine\n"
    assert then["profiles.yml"] == "mine\n"
    assert then["models/scores/score_drift.sql"] == "select 1\n"
    assert then["models/own.sql"] == "select 2\n"
    assert "README.md" not in then
    assert "configs/eth_drift.json" not in then

    done = run("init", "--upgrade", "--overwrite")
    assert texts(desk)["profiles.yml"] == now["profiles.yml"]
    assert texts(desk)["profiles.yml.orig"] == "mine\n"
    again = texts(desk)
    done = run("init", "--upgrade")
    assert "replaced" not in done.output
    assert "kept" not in done.output
    assert texts(desk) == again


def test_an_upgrade_of_what_init_did_not_make_is_refused(desk):
    (desk / "packages.yml").write_text("packages: []\n")
    record = json.loads((desk / RECORD).read_text()) | {"package": "/old"}
    (desk / RECORD).write_text(json.dumps(record))
    before = texts(desk)
    done = run("init", "--upgrade")
    assert done.exit_code == 1
    assert "packages.yml: expected a line '- local: \"/old\"', found none" in (
        done.output
    )
    assert texts(desk) == before
    (desk / RECORD).write_text("{}")
    assert "expected the record of a project" in run("init", "--upgrade").output
    (desk / RECORD).unlink()
    assert "no such file" in run("init", "--upgrade").output


def test_a_package_that_is_missing_or_another_is_named(desk, tmp_path):
    place = desk / paths.OURS
    place.unlink()
    (problem,) = package_problems(desk)
    assert (problem.found, problem.fix[:23]) == ("none", "barsieve init --upgrade")
    done = run("check")
    assert done.exit_code == 1
    assert "the package that packages.yml asks for, found none" in done.output

    place.symlink_to(tmp_path / "gone")
    assert "a link to" in package_problems(desk)[0].found
    done = run("build")
    assert done.exit_code != 0
    assert "fix: barsieve init --upgrade" in done.output
    assert not list(desk.glob("*duckdb*"))

    place.unlink()
    for part in ("models", "macros", "seeds"):
        shutil.copytree(PROJECT / part, place / part)
    shutil.copy(PROJECT / "dbt_project.yml", place)
    assert package_problems(desk) == [], "a copy, where there are no links"
    (place / "macros/clip.sql").write_text("")
    assert "the package of the installed" in package_problems(desk)[0].expected


def test_the_code_hash_covers_the_package_and_ones_own_models(desk, tmp_path):
    before = code_hash(desk)
    package = desk / paths.OURS
    package.unlink()
    for part in ("models", "macros", "seeds"):
        shutil.copytree(PROJECT / part, package / part)
    shutil.copy(PROJECT / "dbt_project.yml", package)
    assert code_hash(desk) == before
    for name in (
        "models/scores/score_drift.sql", "dbt_project.yml",
        f"{paths.OURS}/macros/clip.sql", f"{paths.OURS}/models/scores/scores.sql",
    ):  # fmt: skip
        path = desk / name
        text = path.read_text()
        path.write_text(text + "\n-- more")
        assert code_hash(desk) != before, name
        path.write_text(text)
    assert code_hash(desk) == before
    macros = hashes_now()["macros"]
    (package / "macros/clip.sql").write_text("")
    assert hashes_now()["macros"] != macros


def test_nothing_is_built_in_the_installed_package(monkeypatch, tmp_path):
    package = tmp_path / "barsieve"
    (package / "package").mkdir(parents=True)
    (package / "package/dbt_project.yml").touch()
    monkeypatch.setattr(paths, "PACKAGE", package)
    monkeypatch.delenv("BARSIEVE_PROJECT", raising=False)
    monkeypatch.chdir(package / "package")
    assert paths.dbt_package() == package / "package"
    with pytest.raises(FileNotFoundError, match="is the installed package"):
        paths.project_dir()


def test_a_macro_calls_others_by_the_name_of_the_package():
    """Else a model of the project that uses the package could not call it."""
    defined = re.compile(r"macro (\w+)\(")
    names = {name for text in MACROS.values() for name in defined.findall(text)}
    called = re.compile(rf"(?<![\w.])(?<!macro )({'|'.join(names)})\(")
    bare = [
        (path.name, found[1])
        for path, text in MACROS.items()
        for part in re.findall(r"\{[{%].*?[%}]\}", text, re.DOTALL)
        for found in called.finditer(part)
    ]
    assert bare == []


def test_models_that_need_an_extra_say_so_and_give_no_rows_without(monkeypatch):
    from barsieve.core import schemas
    from barsieve.sweep.overfit import sweep_statistics

    said = {
        path.stem
        for path in PROJECT.glob("models/**/*.yml")
        if "extra: ml" in path.read_text()
    }
    functions = {
        name
        for path in PROJECT.glob("python/barsieve/**/*.py")
        for name in re.findall(r"@empty_without\(.*\)\ndef (\w+)", path.read_text())
    }
    calling = {
        path.stem
        for path in PROJECT.glob("models/**/*.py")
        if any(f"return {name}(" in path.read_text() for name in functions)
    }
    assert said == calling
    assert len(said) == len(functions) > 4

    monkeypatch.setattr(extras, "missing", lambda extra: "hmmlearn")
    assert sweep_statistics(None) == schemas.EVALUATION_SWEEP.empty_table()
    (finding,) = extras.extra_findings()
    assert "pip install 'barsieve[ml]'" in finding.meaning
    assert "hmmlearn is not installed" in finding.meaning
