"""The regimes of the market over time, what they explain, and what they are worth."""

from typing import Any

from barsieve.report.section import Section
from barsieve.report.source import Source

STATES = ("risk_on", "neutral", "risk_off", "crisis")
PROBABILITIES = tuple(f"p_{state}" for state in STATES)
INPUTS = ("vix", "move", "dxy")

RUNS = """
    select distinct classifier, fit_window, reference_symbol from regime_days
    order by classifier, fit_window, reference_symbol
"""
DAYS = """
    select
        epoch(regime_days.known_at) as known_at,
        p_risk_on, p_neutral, p_risk_off, p_crisis,
        coalesce(regime, 'unknown') as regime,
        vix, move, dxy,
    from regime_days left join regime_observations using (reference_symbol, day)
    where classifier = $classifier and fit_window = $fit_window
        and reference_symbol = $reference_symbol
    order by day
"""
JUDGED = """
    select * exclude (first_day) from report_regimes
    order by reference_symbol, classifier, fit_window, regime
"""
WORTH = """
    from report_regime_worth where profile = $profile
    order by span desc, classifier, figure
"""


def _run(source: Source, run: dict[str, Any]) -> dict[str, Any]:
    days, pack = source.arrays(DAYS, **run), source.pack
    return {
        **run,
        "known_at": pack.rounded(days["known_at"], 0),
        "regime": pack.texts(list(days["regime"])),
        # A colour's height and a line: four decimals are more than a screen shows.
        **{k: pack.rounded(days[k], 4) for k in (*PROBABILITIES, *INPUTS)},
    }


def _own_run(runs: list[dict[str, Any]], profile: dict[str, Any]) -> int | None:
    """Return the number of the run that a profile's threshold follows, if any."""
    names = ("classifier", "fit_window", "reference_symbol")
    asked = [profile.get(name) for name in names]
    found = [k for k, run in enumerate(runs) if [run[n] for n in names] == asked]
    return found[0] if found else None


def collect(source: Source) -> dict[str, Any]:
    """Return beliefs by run, verdicts on the classifiers, and worth by profile."""
    runs = source.rows(RUNS)
    return {
        "states": STATES,
        "runs": [_run(source, run) for run in runs],
        "judged": source.rows(JUDGED),
        "profiles": [
            {
                "run": _own_run(runs, profile),
                "worth": source.rows(WORTH, profile=profile["profile"]),
            }
            for profile in source.profiles
        ],
    }


SECTION = Section(
    "regimes",
    "Regimes",
    (
        "regime_days", "regime_observations", "report_regimes", "report_regime_worth",
    ),
    collect,
    until="dbt build makes them; a build without the tag ml leaves them out.",
)  # fmt: skip
