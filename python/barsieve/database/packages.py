"""Package of a project held against the installed code: one version, or a refusal."""

from pathlib import Path

from barsieve.core import paths
from barsieve.core.errors import Problem
from barsieve.database.provenance import fingerprint, models_of

FIX = "barsieve init --upgrade, or dbt deps where packages.yml names another place"


def _problem(place: Path, expected: str, found: str) -> list[Problem]:
    return [Problem(str(place), expected=expected, found=found, fix=FIX)]


def package_problems(folder: Path) -> list[Problem]:
    """Return why the dbt package of a project is not that of the installed code.

    A project without packages, as the checkout is, has none. Where dbt could make no
    link it made a copy, which is compared.
    """
    place, ours = folder / paths.OURS, paths.dbt_package()
    asked = folder / "packages.yml"
    if not place.exists():
        if place.is_symlink():
            return _problem(place, "the package", f"a link to {place.readlink()}")
        if asked.exists() and "barsieve" in asked.read_text(errors="replace"):
            return _problem(place, "the package that packages.yml asks for", "none")
        return []
    if place.samefile(ours) or _hash_of(place) == _hash_of(ours):
        return []
    return _problem(
        place, f"the package of the installed barsieve, {ours}", f"{place.resolve()}"
    )


def _hash_of(package: Path) -> str:
    return fingerprint(models_of(package))
