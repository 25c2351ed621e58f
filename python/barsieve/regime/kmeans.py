"""The baselines: k-means clusters, and fixed bands of the VIX."""

from typing import NamedTuple

import numpy as np

from barsieve.regime.markov import STRESS_SD, Attempt, recalled


def _in_spreads(z: np.ndarray) -> np.ndarray:
    """Return days or centres in units of the spread expected of a state."""
    return np.column_stack([z[:, :1] / STRESS_SD, z[:, 1:]])


class Clusters(NamedTuple):
    """Centres, the first column their stress, shape (k, d)."""

    means: np.ndarray

    def beliefs(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return 1 for the nearest centre and 0 for the rest, and no likelihood.

        A value that is missing on a day has no say in the distance.
        """
        apart = _in_spreads(z)[:, None, :] - _in_spreads(self.means)
        beliefs = np.eye(len(self.means))[np.nansum(apart**2, axis=2).argmin(axis=1)]
        return beliefs, np.full(len(z), np.nan)


def fit(z: np.ndarray, stress: np.ndarray) -> Attempt:
    """Return what `fitted_now` makes of the same two, remembered or made now."""
    return recalled("kmeans", fitted_now, Clusters, z, stress)


def fitted_now(z: np.ndarray, stress: np.ndarray) -> Attempt:
    """Fit k-means from centres at places on the scale of stress, shape (k,).

    `z`: as for the hidden Markov model, shape (n, d). Distances count the stress as
    that model expects it of a state: else other columns decide what a cluster is.
    """
    from sklearn.cluster import KMeans

    start = np.zeros((len(stress), z.shape[1]))
    start[:, 0] = stress
    fitted = KMeans(len(stress), init=_in_spreads(start), n_init=1, random_state=0)
    fitted.fit(_in_spreads(z))
    means = fitted.cluster_centers_.copy()
    means[:, 0] *= STRESS_SD
    return Attempt(Clusters(means), -fitted.inertia_, None)


def vix_bands(vix: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return 1 for the band that holds the VIX, shape (n, 4); NaN where it is missing.

    `edges`: where the VIX changes its name, ascending, index points, shape (3,).
    """
    beliefs = np.eye(len(edges) + 1)[np.searchsorted(edges, vix, "right")]
    beliefs[~np.isfinite(vix)] = np.nan
    return beliefs
