"""A use of the package as a type checker sees it; read by `make lint`, never run."""

from pathlib import Path
from typing import Any, assert_type

import pyarrow as pa

import barsieve as bs
from barsieve.api.frames import Frame


def first_look(path: str) -> str | None:
    """Return the words of what was refused."""
    with bs.open(path) as db:
        assert_type(db, bs.Database)
        assert_type(db.profiles, list[str])
        try:
            run = db.replay("btc_live", set={"exits.stop_atr": 2.5}, start="2023-01-01")
        except bs.InputError as error:
            return "; ".join(problem.fix for problem in error.problems)
        assert_type(run, bs.Run)
        assert_type(run.trades, Frame)
        assert_type(run.trades.arrow(), pa.Table)
        sharpe: float | None = run.metrics["sharpe"]
        sweep = db.sweep("btc_live", grid={"entry_threshold": [0.6, 0.65, 0.7]})
        assert_type(sweep, bs.Sweep)
        assert_type(sweep.results, Frame)
        assert_type(db.compare("btc_live", run), bs.Comparison)
        assert_type(db.compare("btc_live", run).counts, dict[str, int])
        assert_type(db.signal("btc_live"), bs.Signal)
        assert_type(db.explain("btc_live", 12)["trade"], Any)
        assert_type(db.report("report.html"), Path)
    return None if sharpe is None else f"{sharpe:.2f}"


def anew(market: str) -> bs.Database:
    """Return a database that was just built."""
    try:
        return bs.build("--threads", "4", market=market)
    except (bs.BuildFailedError, bs.BuildRefusedError, bs.NoProjectError):
        raise
    except bs.BarsieveError as error:
        raise SystemExit(str(error)) from None
