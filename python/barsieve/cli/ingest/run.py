"""Runs of `barsieve ingest`: a market, its targets, faults in words."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer

from barsieve.cli.ingest.summary import print_summary
from barsieve.cli.output import REFUSED, err, fail
from barsieve.core import paths
from barsieve.core.errors import InputError

# A source that did not answer: what was written stays, a later run goes on.
SOURCE_FAILED = 3

Job = Callable[[Any, Any, Any], None]


def folder_of(to: Path | None) -> Path:
    """Return the market folder: the one named, else the one of the environment.

    Raises FileNotFoundError outside of a project where neither says it.
    """
    folder = to or paths.market_dir()
    if to or folder.is_absolute():
        return folder
    try:
        return paths.project_dir() / folder
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{error}, or name the market with --to") from None


def _seed() -> Path:
    """Return what declares the macro series: the project's seed, else the package's."""
    try:
        return paths.macro_series_seed()
    except FileNotFoundError:
        return paths.dbt_package() / "seeds" / "macro_series.csv"


@contextmanager
def reporting() -> Iterator[None]:
    """Turn faults of input, source and installation into one message and a code."""
    from barsieve.core.errors import MissingExtraError
    from barsieve.ingest.retry import SourceError

    try:
        yield
    except InputError as error:
        raise fail(str(error), REFUSED) from None
    except (FileNotFoundError, MissingExtraError) as error:
        raise fail(str(error)) from None
    except SourceError as error:
        raise fail(str(error), SOURCE_FAILED) from None
    except OSError as error:
        raise fail(f"{error.filename or ''}: {error.strerror or error}") from None


def run(
    to: Path | None,
    source: str,
    request: Any,
    jobs: dict[str, Job],
    as_json: bool,
    about: dict[str, Any] | None = None,
) -> None:
    """Carry out the jobs of a command, one target after another; print the summary.

    A job gets the market, the request and the outcome to count into. A source that
    fails ends its own target only. `about` is added to the JSON. The code is 1 when of
    a target nothing is stored, or a part is missing for no known reason.
    """
    from dataclasses import replace

    from rich.progress import Progress, TimeRemainingColumn

    from barsieve.ingest.folder import open_market
    from barsieve.ingest.summary import Outcome

    outcomes, code, folder = [], 0, folder_of(to)
    bars = Progress(
        *Progress.get_default_columns()[:3], TimeRemainingColumn(), console=err,
        disable=not err.is_terminal, transient=True,
    )  # fmt: skip
    with open_market(folder, _seed()) as opened, bars:
        market = replace(opened, accepts_origin=request.accept_origin)
        for target, job in jobs.items():
            outcome = Outcome(target, source)
            outcomes.append(outcome)
            task = bars.add_task(target, total=1.0)

            def progress(share: float, task=task) -> None:
                bars.update(task, completed=share)

            moving = replace(request, progress=progress)
            code = max(code, _attempt(job, market, moving, outcome))
        has_bars = any((market.folder / "bars").glob("*.parquet"))
    print_summary(folder, outcomes, has_bars, as_json, about or {})
    if code:
        raise typer.Exit(code)


def _attempt(job: Job, market: Any, request: Any, outcome: Any) -> int:
    """Carry out one job; return the exit code that it deserves."""
    from pyarrow import ArrowException

    from barsieve.ingest.retry import SourceError

    try:
        job(market, request, outcome)
    except SourceError as error:
        outcome.failure = str(error)
        return SOURCE_FAILED
    except InputError as error:
        outcome.failure = str(error)
        return REFUSED
    except (OSError, ArrowException) as error:
        outcome.failure = f"{type(error).__name__}: {error}"
        return REFUSED
    request.progress(1.0)
    return REFUSED if outcome.is_incomplete() else 0


def split(text: str) -> list[str]:
    """Return the parts of a comma-joined option, each once."""
    return list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def _utc(day: datetime | None) -> datetime | None:
    return day and day.replace(tzinfo=UTC)


def request_of(
    since: datetime | None,
    until: datetime | None,
    accept: bool,
    recheck: bool,
    accept_origin: bool = False,
    **more: Any,
) -> Any:
    """Return what to fetch, as of now: the one place where an ingest reads a clock."""
    from barsieve.ingest.request import Request

    now = datetime.now(UTC)
    return Request(
        now, _utc(since), _utc(until), accept, accept_origin, recheck, **more
    )


def patience_of(tries: int, wait: float, timeout: float) -> Any:
    """Return how often to ask a source, and how long to wait for it."""
    from barsieve.ingest.retry import Patience

    return Patience(tries, wait, max(60.0, wait), timeout)
