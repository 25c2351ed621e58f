"""Extras of the installation: their libraries when needed, what goes without them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, ParamSpec

from barsieve.core.errors import MissingExtraError
from barsieve.core.findings import Finding

if TYPE_CHECKING:
    import pyarrow as pa

# The libraries of extras that models need; pyproject.toml has their versions.
LIBRARIES = {
    "ml": ("arch", "hmmlearn", "scipy", "sklearn"),
    "deep": ("jax", "keras"),
}
GOES_WITHOUT = {
    "ml": (
        "regimes are unknown, scores and sweeps are not judged, and nothing is "
        "learned; profiles that ask for it trade without"
    ),
}

# What a command says where a table of such models has no rows.
WITHOUT_ML = (
    "the database was built without what learns; pip install 'barsieve[ml]', then dbt "
    "build, all of it"
)
WITHOUT_DEEP = (
    "the database has no LSTM of it; pip install 'barsieve[deep]', then dbt build "
    "--vars 'deep: true'"
)

Arguments = ParamSpec("Arguments")


@cache
def missing(extra: str) -> str | None:
    """Return a library of an extra that is not installed; None where all are."""
    return next((name for name in LIBRARIES[extra] if find_spec(name) is None), None)


def needed(module: str, extra: str, by: str = "") -> ModuleType:
    """Import a library of an extra, `by` being what asks for it.

    Raises MissingExtraError, which names the extra, where it is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        name = error.name or module
        fault = f"{by} needs {name}" if by else f"{name} is not installed"
        raise MissingExtraError(f"{fault}: pip install 'barsieve[{extra}]'") from None


def empty_without(
    extra: str, schema: pa.Schema
) -> Callable[
    [Callable[Arguments, pa.Table]], Callable[Arguments, pa.Table]
]:  # fmt: skip
    """Let the function of a model give no rows where its extra is not installed.

    The model says so too, in `meta.extra`, so that its table is marked as left out.
    """

    def let(function: Callable[Arguments, pa.Table]) -> Callable[Arguments, pa.Table]:
        @wraps(function)
        def table(*args: Arguments.args, **kwargs: Arguments.kwargs) -> pa.Table:
            if missing(extra):
                return schema.empty_table()
            return function(*args, **kwargs)

        return table

    return let


def extra_findings() -> list[Finding]:
    """Return what a build here leaves out for want of a library."""
    return [
        Finding(
            symbol="",
            subject=f"extra {extra}",
            finding="left_out",
            value=None,
            threshold=None,
            meaning=(
                f"{library} is not installed: {GOES_WITHOUT[extra]}; "
                f"pip install 'barsieve[{extra}]', then dbt build"
            ),
        )
        for extra in GOES_WITHOUT
        if (library := missing(extra))
    ]
