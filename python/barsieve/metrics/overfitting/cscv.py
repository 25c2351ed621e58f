"""The probability of backtest overfitting by combinatorially symmetric validation.

Source: Bailey, Borwein, López de Prado and Zhu (2017), The Probability of Backtest
Overfitting, Journal of Computational Finance 20(4), 39-69 (first as SSRN 2326253;
below: PBO).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise
from math import comb

import numpy as np
from scipy.stats import linregress, rankdata

from barsieve.metrics.overfitting.returns import checked_returns

MOST_BLOCKS = 20
"""184,756 combinations; 22 blocks would be 705,432."""
CHUNK_CELLS = 2_000_000
"""Cells of combinations x trials worked on at a time: some 150 MB at most."""

Performance = Callable[[np.ndarray], np.ndarray]
"""Rows of all trials in, shape (n, n_trials); a figure for each out, (n_trials,)."""


@dataclass(frozen=True)
class BacktestOverfitting:
    """Worth in one half of history of what was the best in the other.

    The arrays have shape (n_combinations,), in the order of `itertools.combinations`:
    the logit of the chosen trial's relative rank out of sample, and its performance in
    and out of sample. `slope` and `intercept` are those of the line of the latter on
    the former (performance degradation), NaN where the former never varies.
    """

    probability: float
    slope: float
    intercept: float
    loss_probability: float
    n_combinations: int
    logits: np.ndarray
    in_sample: np.ndarray
    out_of_sample: np.ndarray


def _block_edges(n_rows: int, n_blocks: int) -> np.ndarray:
    """Return the edges of blocks of rows in time order, equal within one row."""
    if n_blocks % 2 or not 2 <= n_blocks <= MOST_BLOCKS:
        raise ValueError(
            f"n_blocks: expected an even number from 2 to {MOST_BLOCKS}, "
            f"found {n_blocks}"
        )
    if n_rows < 2 * n_blocks:
        raise ValueError(
            f"n_blocks: expected at least 2 rows a block, found {n_rows} rows for "
            f"{n_blocks} blocks; use at most {n_rows // 4 * 2}"
        )
    sizes = [len(block) for block in np.array_split(np.arange(n_rows), n_blocks)]
    return np.concatenate([[0], np.cumsum(sizes)])


def _sharpe_of_blocks(matrix: np.ndarray, edges: np.ndarray) -> Performance:
    """Return a function that gives the Sharpe ratios of chosen blocks from their sums.

    Sums of blocks are added one block after the other: the same operations for every
    trial, so that equal trials tie exactly wherever their columns lie. A trial that
    never traded in the chosen rows has earned and risked nothing: its ratio is 0.
    """
    sums = np.add.reduceat(matrix, edges[:-1])
    squares = np.add.reduceat(np.square(matrix), edges[:-1])
    sizes = np.diff(edges)

    def ratios(chosen: np.ndarray) -> np.ndarray:
        total, square = sums[chosen[:, 0]], squares[chosen[:, 0]]
        for block in chosen.T[1:]:
            total += sums[block]
            square += squares[block]
        n = sizes[chosen].sum(axis=1)[:, None]
        spread = square - total * total / n
        if (still := (spread <= 1e-13 * square) & (square > 0.0)).any():
            raise ValueError(
                "returns: expected trials that vary in every half of the blocks, found "
                f"the same return throughout one in trial {np.argwhere(still)[0, 1]}; "
                "use fewer blocks, or leave the trial out"
            )
        with np.errstate(invalid="ignore"):
            return np.where(square > 0, total / n / np.sqrt(spread / (n - 1)), 0.0)

    return ratios


def _figure_of_blocks(
    matrix: np.ndarray, edges: np.ndarray, performance: Performance
) -> Performance:
    blocks = [matrix[a:b] for a, b in pairwise(edges)]

    def figures(chosen: np.ndarray) -> np.ndarray:
        rows = [performance(np.vstack([blocks[b] for b in c])) for c in chosen]
        found = np.asarray(rows, dtype=np.float64)
        if found.shape != (len(chosen), matrix.shape[1]) or np.isnan(found).any():
            raise ValueError(
                f"performance: expected a number for each of {matrix.shape[1]} trials"
            )
        return found

    return figures


def _chunks(n: int, size: int) -> Iterator[slice]:
    return (slice(start, min(start + size, n)) for start in range(0, n, size))


def _judge(inside: np.ndarray, outside: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return relative rank and performances of the best inside, each of shape (n,).

    Trials that tie for the best are averaged, ties of a rank too, so that the order of
    the columns says nothing.
    """
    is_best = inside == inside.max(axis=1, keepdims=True)
    n_best = is_best.sum(axis=1)
    ranks = rankdata(outside, axis=1) / (inside.shape[1] + 1)
    return (
        np.where(is_best, ranks, 0.0).sum(axis=1) / n_best,
        inside.max(axis=1),
        np.where(is_best, outside, 0.0).sum(axis=1) / n_best,
    )


def backtest_overfitting(
    returns: np.ndarray, n_blocks: int = 16, performance: Performance | None = None
) -> BacktestOverfitting:
    """Estimate the probability of backtest overfitting by CSCV.

    Rows are cut into blocks; each half of the blocks chooses a best trial and the other
    half judges it, in all combinations. Source: PBO (CSCV and its four figures).

    Parameters
    ----------
    returns : array of shape (n_rows, n_trials)
        Returns per period of every trial that was run, at least two of them.
    n_blocks : int
        Number of blocks, even; 16 make 12,870 combinations. Where it does not divide
        the rows, blocks differ by one row: none is left out.
    performance : callable, optional
        Figure to choose and judge by; the Sharpe ratio where it is not given, which is
        the fast way. "Loss" is a figure below 0.

    Returns
    -------
    BacktestOverfitting
        `probability` is the share of logits of at most 0. Pure noise has about a half
        on average, and scatters widely around it (a standard deviation of 0.1 to 0.2).

    Raises
    ------
    ValueError
        For missing values, too few rows or trials, or trials without variance.
    """
    matrix = checked_returns(returns, least_trials=2)
    edges = _block_edges(len(matrix), n_blocks)
    if performance is None:
        figures = _sharpe_of_blocks(matrix, edges)
    else:
        figures = _figure_of_blocks(matrix, edges, performance)
    halves = np.array(list(combinations(range(n_blocks), n_blocks // 2)))
    n = comb(n_blocks, n_blocks // 2)
    rank, inside, outside = np.empty((3, n))
    # The complement of the first combination is the last, of the second the last but
    # one: what judges here chooses there, and no figure is computed twice.
    size = max(1, CHUNK_CELLS // matrix.shape[1])
    for part in _chunks(n // 2, size):
        mirror = n - 1 - np.arange(part.start, part.stop)
        here, there = figures(halves[part]), figures(halves[mirror])
        rank[part], inside[part], outside[part] = _judge(here, there)
        rank[mirror], inside[mirror], outside[mirror] = _judge(there, here)
    logits = np.log(rank) - np.log1p(-rank)
    varies = np.ptp(inside) > 0.0
    line = linregress(inside, outside) if varies else None
    return BacktestOverfitting(
        probability=float(np.mean(logits <= 0.0)),
        slope=float(line.slope) if line else np.nan,
        intercept=float(line.intercept) if line else np.nan,
        loss_probability=float(np.mean(outside < 0.0)),
        n_combinations=n,
        logits=logits,
        in_sample=inside,
        out_of_sample=outside,
    )
