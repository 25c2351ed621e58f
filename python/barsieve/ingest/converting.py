"""The columns of an export as bars: times placed in UTC, cells as numbers, in order.

Rows that no market makes, or that contradict each other, are refused with their cell.
"""

from datetime import datetime
from typing import NamedTuple

import numpy as np

from barsieve.ingest.formats import PRICES, Format
from barsieve.ingest.hints import Hints
from barsieve.ingest.numbers import numbers_of
from barsieve.ingest.reading import Export
from barsieve.ingest.summary import LeftOut
from barsieve.ingest.times import times_of
from barsieve.ingest.zones import Times

HOUR_US = 3_600_000_000


class Rows(NamedTuple):
    """Rows of an export in ascending order, each time once, with nothing missing.

    `us` are opens in microseconds since 1970 (UTC), `local_us` those of the zone that
    the user named. `values` has an array per role. `closes` are moments (µs) at which
    bars closed by the file's own account, or None. `step_hours` is the usual step,
    rows without a value included. `left_out` says which rows are not here, and why.
    """

    us: np.ndarray
    local_us: np.ndarray
    values: dict[str, np.ndarray]
    closes: np.ndarray | None
    step_hours: float
    is_day: bool
    written: str
    left_out: list[LeftOut]

    def kept(self, keep: np.ndarray, reason: str = "") -> "Rows":
        """Return the rows of a mask; the others are left out for a reason."""
        left_out = list(self.left_out)
        if reason and not keep.all():
            shown = shown_row(self, int((~keep).argmax()))
            left_out.append(LeftOut(reason, int((~keep).sum()), shown))
        return self._replace(
            us=self.us[keep],
            local_us=self.local_us[keep],
            values={role: array[keep] for role, array in self.values.items()},
            closes=None if self.closes is None else self.closes[keep],
            left_out=left_out,
        )


def shown_row(rows: Rows, row: int) -> str:
    """Return a row as text: its time and its values."""
    cells = ", ".join(
        f"{role} {array[row]:.10g}" for role, array in rows.values.items()
    )
    form = "%Y-%m-%d" if rows.is_day else "%Y-%m-%d %H:%M"
    return f"{rows.us[row].astype('datetime64[us]').item():{form}}: {cells}"


def to_rows(
    export: Export, columns: dict[str, str], format: Format, hints: Hints, now: datetime
) -> Rows:
    """Return the rows of an export; raise InputError for what cannot be right.

    `columns` names the column of each role: `ts` and `close`, for bars the other prices
    and `volume`, and, where the file has them, `time` and `close_time`.
    """
    cells = {role: name for role, name in columns.items()
             if role in (*PRICES, "volume")}  # fmt: skip
    numbers = numbers_of(export, cells, hints, format.delimiter)
    times = times_of(
        export, columns["ts"], columns.get("time"), format.zone, hints, now
    )
    closes = None
    if "close_time" in columns:
        closes = times_of(
            export, columns["close_time"], None, format.zone, hints,
            datetime.max.replace(tzinfo=now.tzinfo, year=9998),
        ).us  # fmt: skip
    order = _order(export, columns["ts"], times.us, format, hints)
    written = _written(export, times, numbers.form)
    rows = Rows(
        times.us, times.local_us, numbers.values, closes, _step_hours(times.us),
        times.is_day, written, [],
    )  # fmt: skip
    is_sound = np.ones(len(rows.us), bool)
    if "open" in columns:
        is_sound = _soundness(export, columns, rows, hints)
    return _each_once(export, columns, rows, order, is_sound)


def _written(export: Export, times: Times, numbers: str) -> str:
    zone = f" ({times.zone})" if times.zone else ""
    parts = [export.dialect, f"times: {times.form}{zone}"]
    parts += [f"numbers: {numbers}"] if export.dialect else []
    return "; ".join(part for part in parts if part)


def _step_hours(us: np.ndarray) -> float:
    stamps = np.unique(us)
    return float(np.median(np.diff(stamps))) / HOUR_US if len(stamps) > 1 else 0.0


def _order(
    export: Export, column: str, us: np.ndarray, format: Format, hints: Hints
) -> np.ndarray:
    """Return the rows in ascending order; refuse those that run to and fro."""
    steps = np.diff(us)
    if not (steps < 0).any():
        return np.arange(len(us))
    may_run_back = format.newest_first or hints.newest_first
    if may_run_back and (steps <= 0).all():
        return np.arange(len(us))[::-1]
    is_bad = steps > 0 if may_run_back and steps[0] <= 0 else steps < 0
    fix = "sort the rows by time, the oldest first"
    if (steps <= 0).all():
        fix += ", or say that they run backwards: --newest-first"
    export.refuse_cell(
        int(is_bad.argmax()) + 1,
        column,
        expected="rows in ascending order of time",
        fix=fix,
    )


def _soundness(
    export: Export, columns: dict[str, str], rows: Rows, hints: Hints
) -> np.ndarray:
    """Return which rows a market can make; refuse the first that it cannot."""
    values = rows.values
    prices = [values[price] for price in PRICES]
    high, low = values["high"], values["low"]
    is_bad = {f"a {price} above 0": (price, values[price] <= 0) for price in PRICES}
    is_bad |= {
        "a high that is no price below the low": ("high", high < low),
        "a high that no other price exceeds": ("high", high < np.fmax.reduce(prices)),
        "a low that no other price is below": ("low", low > np.fmin.reduce(prices)),
        "a volume of 0 or more": ("volume", values["volume"] < 0),
    }
    keep = np.ones(len(high), bool)
    for expected, (role, is_wrong) in is_bad.items():
        if is_wrong.any() and not hints.drops_bad_rows:
            row = int(is_wrong.argmax())
            shown = ", ".join(f"{price} {values[price][row]:.10g}" for price in PRICES)
            export.refuse_cell(
                row,
                columns[role],
                expected=f"{expected} ({shown}; {is_wrong.sum():,} such rows)",
                fix=(
                    "if columns are swapped, name them (--column high=NAME); "
                    "else correct the row, or leave such rows out: --drop-bad-rows"
                ),
            )
        keep &= ~is_wrong
    return keep


def _each_once(
    export: Export,
    columns: dict[str, str],
    rows: Rows,
    order: np.ndarray,
    is_sound: np.ndarray,
) -> Rows:
    """Return the rows in order, each time once; refuse a time with two values."""
    cells = np.column_stack(list(rows.values.values()))
    us, cells, is_sound = rows.us[order], cells[order], is_sound[order]
    ordered = rows._replace(
        us=us,
        local_us=rows.local_us[order],
        values={role: array[order] for role, array in rows.values.items()},
        closes=None if rows.closes is None else rows.closes[order],
    )
    is_again = np.zeros(len(us), bool)
    is_again[1:] = us[1:] == us[:-1]
    differs = np.zeros(len(us), bool)
    differs[1:] = ~(
        (cells[1:] == cells[:-1]) | (np.isnan(cells[1:]) & np.isnan(cells[:-1]))
    ).all(axis=1)
    if (is_again & differs).any():
        row = int((is_again & differs).argmax())
        export.refuse_cell(
            int(order[row]),
            columns["ts"],
            expected=(
                "each time once; "
                f"{export.place(int(order[row - 1]), columns['ts'])} "
                "has it with other values"
            ),
            fix=(
                "remove one of the rows; if clocks were changed, export with "
                "times in UTC"
            ),
        )
    is_known = ~np.isnan(cells).any(axis=1)
    found = ordered.kept(~is_again, "the same row again")
    found = found.kept(is_known[~is_again], "no value in a cell")
    return found.kept(is_sound[~is_again & is_known], "prices that no market makes")
