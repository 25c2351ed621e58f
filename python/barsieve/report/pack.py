"""Columns of numbers, small enough for five years of hours in one page.

A column of a known number of decimals becomes whole numbers; their differences are
mostly small, so bytes of equal weight stand together and compress well. A column that
must keep every bit is written as doubles. Equal columns are kept once. The page reads
both in `page/columns.js`.
"""

import base64
import gzip
import json
from typing import Any

import numpy as np

# Whole numbers travel as doubles on the page, exact up to here.
LARGEST_EXACT = 2**53
# With more decimals, numbers of many digits are no smaller than doubles.
MOST_DECIMALS = 6


def decimals_for(prices: np.ndarray) -> int:
    """Return the decimals that keep a price exact, or seven digits of it.

    Prices of exchanges are decimals; those that are not are shown to seven digits.
    """
    known = prices[np.isfinite(prices)]
    if not len(known):
        return 2
    for decimals in range(9):
        if np.array_equal(np.round(known, decimals), known):
            return decimals
    return int(max(2, 6 - np.floor(np.log10(np.median(np.abs(known)) or 1))))


def _zigzag(whole: np.ndarray) -> np.ndarray:
    return np.where(whole >= 0, 2 * whole, -2 * whole - 1).astype(np.uint64)


def _planes(whole: np.ndarray) -> tuple[bytes, int]:
    """Return the bytes of each number by weight, lowest first, and how many."""
    width = max(1, (int(whole.max(initial=0)).bit_length() + 7) // 8)
    as_bytes = whole.astype("<u8").view(np.uint8).reshape(-1, 8)
    return as_bytes[:, :width].T.tobytes(), width


def _exact_decimals(values: np.ndarray) -> int | None:
    """Return the decimals of which all numbers are the nearest doubles, if few."""
    known = values[~np.isnan(values)]
    if not np.isfinite(known).all() or np.any(np.signbit(known) & (known == 0)):
        return None
    for decimals in range(MOST_DECIMALS + 1):
        whole = np.round(known * 10**decimals)
        if np.any(np.abs(whole) > LARGEST_EXACT / 4):
            return None
        if np.array_equal(whole / 10**decimals, known):
            return decimals
    return None


class Pack:
    """The columns of a page, one after the other."""

    def __init__(self) -> None:
        """Start without a column."""
        self._parts: list[bytes] = []
        self._size = 0
        self._places: dict[bytes, int] = {}

    def _place(self, content: bytes) -> int:
        if content not in self._places:
            self._places[content] = self._size
            self._parts.append(content)
            self._size += len(content)
        return self._places[content]

    def exact(self, values: np.ndarray) -> dict[str, Any]:
        """Keep doubles bit for bit; NaN is missing.

        Decimals are whole numbers by a power of ten, others are planes of bytes.
        """
        decimals = _exact_decimals(np.asarray(values, float))
        if decimals is None:
            return self._doubles(values)
        return self.rounded(values, decimals)

    def _doubles(self, values: np.ndarray) -> dict[str, Any]:
        content = np.asarray(values, "<f8").view(np.uint8).reshape(-1, 8).T.tobytes()
        return {"at": self._place(content), "n": len(values), "kind": "exact"}

    def rounded(self, values: np.ndarray, decimals: int) -> dict[str, Any]:
        """Keep numbers to so many decimals, as differences; NaN is missing.

        Numbers too large to be whole ones are kept bit for bit.
        """
        scaled = np.asarray(values, float) * 10**decimals
        is_known = np.isfinite(scaled)
        if np.any(np.abs(scaled[is_known]) > LARGEST_EXACT / 4):
            return self._doubles(values)
        missing = int(np.min(scaled[is_known], initial=0)) - 1
        whole = np.where(is_known, np.round(scaled), missing).astype(np.int64)
        content, width = _planes(_zigzag(np.diff(whole, prepend=0)))
        return {
            "at": self._place(content),
            "n": len(whole),
            "kind": "rounded",
            "width": width,
            "decimals": decimals,
            "missing": missing if not is_known.all() else None,
        }

    def texts(self, values: list[str | None]) -> dict[str, Any]:
        """Keep texts that repeat as numbers into a list of them."""
        names = sorted({value for value in values if value is not None})
        number = {name: k for k, name in enumerate(names)}
        codes = np.array([np.nan if v is None else number[v] for v in values], float)
        return {"kind": "texts", "names": names, "codes": self.rounded(codes, 0)}

    def lines(self, values: list[str]) -> dict[str, Any]:
        """Keep texts that hardly repeat one after the other, a line each."""
        content = "\n".join(value.replace("\n", " ") for value in values).encode()
        return {"kind": "lines", "at": self._place(content), "n": len(content)}

    def document(self, value: Any) -> dict[str, Any]:
        """Keep what JSON can say: charts say nearly the same of each profile."""
        content = json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
        return {"kind": "document", "at": self._place(content), "n": len(content)}

    def moments(self, seconds: np.ndarray) -> dict[str, Any]:
        """Keep Unix seconds; the page reads the milliseconds that its charts count."""
        return {"kind": "moments", "seconds": self.rounded(seconds, 0)}

    def encode(self) -> str:
        """Return all columns, compressed, as text."""
        # No time in the header: equal reports are equal files.
        whole = gzip.compress(b"".join(self._parts), 9, mtime=0)
        return base64.b64encode(whole).decode()
