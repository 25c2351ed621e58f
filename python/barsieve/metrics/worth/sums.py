"""Figures of a score as ratios of sums, a sum a day, so that days can be drawn anew.

A drawn sample counts each day so and so often: its sums are one product of matrices,
whatever the figure, and so are those of a thousand samples. Ranks are those of the
whole sample, as usual where a rank correlation is drawn anew in blocks.
"""

from typing import NamedTuple

import numpy as np

BPS = 1e4


class Sums(NamedTuple):
    """Sums over some hours, arrays of equal shape; `x`, `y`: ranks of score, return.

    `top`, `bottom`: hours there, `up`, `down`: their returns; `all`: all returns.
    `hits` of `views`: hours whose return had the sign that the score said.
    """

    n: np.ndarray
    x: np.ndarray
    y: np.ndarray
    xx: np.ndarray
    yy: np.ndarray
    xy: np.ndarray
    top: np.ndarray
    bottom: np.ndarray
    up: np.ndarray
    down: np.ndarray
    all: np.ndarray
    hits: np.ndarray
    views: np.ndarray


class Figures(NamedTuple):
    """Figures of sums; NaN where not defined. Returns in basis points."""

    information_coefficient: np.ndarray
    top_bps: np.ndarray
    bottom_bps: np.ndarray
    spread_bps: np.ndarray
    hit_rate: np.ndarray


def hourly(
    x: np.ndarray, y: np.ndarray, side: np.ndarray, view: np.ndarray, ret: np.ndarray
) -> Sums:
    """Return the terms of the sums, shape (n_hours,) each; hours are all known.

    `side`: 1 in the top, -1 in the bottom. `view`: the sign that the score says of
    the return `ret`, 0 for none.
    """
    is_top, is_bottom = (side > 0).astype(float), (side < 0).astype(float)
    is_view = (view != 0) & (ret != 0)
    return Sums(
        n=np.ones(len(x)), x=x, y=y, xx=x * x, yy=y * y, xy=x * y,
        top=is_top, bottom=is_bottom, up=is_top * ret, down=is_bottom * ret, all=ret,
        hits=(is_view & (view * ret > 0)).astype(float), views=is_view.astype(float),
    )  # fmt: skip


def by_day(terms: Sums, cell: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return sums by group and day, shape (n_groups, n_days, n_sums)."""
    n, nothing = shape[0] * shape[1], np.zeros(shape[0] * shape[1])
    # Of an event there are no ranks, and seldom two sides.
    summed = [
        np.bincount(cell, term, minlength=n) if term.any() else nothing
        for term in terms
    ]
    return np.stack(summed, axis=-1).reshape(*shape, len(Sums._fields))


def figures(sums: Sums, is_event: bool) -> Figures:
    """Return the figures of sums.

    The spread of a score is the mean return of its top fifth less that of its bottom
    one; that of an event is the mean return with its side, beyond that of other hours.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        covariance = sums.xy - sums.x * sums.y / sums.n
        variances = (sums.xx - sums.x**2 / sums.n) * (sums.yy - sums.y**2 / sums.n)
        # Of a constant the variance is 0 but for rounding.
        ic = covariance / np.sqrt(np.where(variances > 1e-12, variances, np.nan))
        top, bottom = sums.up / sums.top, sums.down / sums.bottom
        spread = top - bottom
        if is_event:
            count, sided = sums.top + sums.bottom, sums.top - sums.bottom
            quiet = (sums.all - sums.up - sums.down) / (sums.n - count)
            spread = (sums.up - sums.down - sided * quiet) / count
        hit_rate = sums.hits / sums.views
    return Figures(ic, top * BPS, bottom * BPS, spread * BPS, hit_rate)
