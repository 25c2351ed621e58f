"""The forward filter: what is believed of today, given today and the past."""

import numpy as np

from barsieve.core.numba_cache import compiled


@compiled
def _log_sum_exp(values):
    top = values[0]
    for value in values:
        top = max(top, value)
    if top == -np.inf:
        return top
    total = 0.0
    for value in values:
        total += np.exp(value - top)
    return top + np.log(total)


@compiled
def _forward(log_start, log_transitions, log_emissions, log_filtered, evidence):
    n_days, n_states = log_emissions.shape
    terms = np.empty(n_states)
    for day in range(n_days):
        for state in range(n_states):
            if day == 0:
                predicted = log_start[state]
            else:
                for origin in range(n_states):
                    terms[origin] = (
                        log_filtered[day - 1, origin] + log_transitions[origin, state]
                    )
                predicted = _log_sum_exp(terms)
            log_filtered[day, state] = predicted + log_emissions[day, state]
        evidence[day] = _log_sum_exp(log_filtered[day])
        for state in range(n_states):
            log_filtered[day, state] -= evidence[day]


def filtered(
    start: np.ndarray, transitions: np.ndarray, log_emissions: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return filtered state probabilities and the log-likelihood of each day.

    Parameters: `start` (k,), `transitions` (k, k), both probabilities; `log_emissions`
    (n, k), the log-density of each day in each state. Returns probabilities (n, k), of
    each day given the days up to it, and log p(day | days before), shape (n,).
    """
    with np.errstate(divide="ignore"):
        log_start, log_transitions = np.log(start), np.log(transitions)
    log_filtered = np.empty(log_emissions.shape)
    evidence = np.empty(len(log_emissions))
    _forward(log_start, log_transitions, log_emissions, log_filtered, evidence)
    return np.exp(log_filtered), evidence
