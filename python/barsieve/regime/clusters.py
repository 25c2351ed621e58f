"""The baselines: k-means clusters, and fixed bands of the VIX."""

from typing import NamedTuple

import numpy as np

from barsieve.regime.markov import Attempt


class Clusters(NamedTuple):
    """Centres in standardised units, shape (k, d)."""

    means: np.ndarray

    def beliefs(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return 1 for the nearest centre and 0 for the rest, and no likelihood.

        A value that is missing on a day has no say in the distance.
        """
        distances = np.nansum((z[:, None, :] - self.means) ** 2, axis=2)
        beliefs = np.eye(len(self.means))[distances.argmin(axis=1)]
        return beliefs, np.full(len(z), np.nan)

    def rescaled(self, from_moments, to_moments) -> "Clusters":
        """Return the same centres in the units of other moments (mean, sd)."""
        (mean, sd), (new_mean, new_sd) = from_moments, to_moments
        return Clusters((self.means * sd + mean - new_mean) / new_sd)


def fit(
    z: np.ndarray, n_states: int, start: int | Clusters, least_share: float
) -> Attempt:
    """Fit k-means from a seed, or from earlier centres. `z`: shape (n, d)."""
    from sklearn.cluster import KMeans

    is_warm = isinstance(start, Clusters)
    fitted = KMeans(
        n_states,
        init=start.means if is_warm else "k-means++",
        n_init=1,
        random_state=0 if is_warm else start,
    ).fit(z)
    share = np.bincount(fitted.labels_, minlength=n_states).min() / len(z)
    fault = None
    if share < least_share:
        fault = f"a cluster holds {share:.1%} of the days, expected {least_share:.0%}"
    label = "warm" if is_warm else f"seed {start}"
    return Attempt(Clusters(fitted.cluster_centers_), -fitted.inertia_, label, fault)


def vix_bands(vix: np.ndarray, vix_from: np.ndarray) -> np.ndarray:
    """Return 1 for the band that holds the VIX, shape (n, k); NaN where it is missing.

    `vix_from`: the lower edge of each band, ascending, index points.
    """
    beliefs = np.eye(len(vix_from))[np.searchsorted(vix_from[1:], vix, "right")]
    beliefs[~np.isfinite(vix)] = np.nan
    return beliefs
