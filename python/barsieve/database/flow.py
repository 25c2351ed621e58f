"""Flow of the models from the market's files to the candidates, whoever wrote them."""

from typing import NamedTuple

from barsieve.database.models import Models

# Layers that only look back on decisions, or learn from them; and the last model that
# decides something of an hour.
LATER = ("sweep", "shadow", "replay", "parity", "proof", "evaluation", "reports")
LAST = "candidates"
# Sources that are settings, not a market: which symbols there are is one.
SETTINGS = "configs."


class Flow(NamedTuple):
    """Models by where they lie.

    `moving`: made of the market. `between`: of these, the ones up to the candidates,
    each after those that it reads. `behind`: the rest of them, and what was learned.
    """

    moving: set[str]
    between: list[str]
    behind: set[str]


def flow_of(models: Models) -> Flow:
    """Return where the models of a project lie.

    What was learned decides as settings do: its weights and thresholds are as built.
    """
    sources = {name for model in models.values() for name in model.sources}
    roots = {name for name in sources if not name.startswith(SETTINGS)}
    moving = set(models.descendants(roots))
    later = {name for name in moving if models[name].layer in LATER}
    after = {name for name in later if models[name].layer != "sweep"}
    behind = later | set(models.descendants(after | {LAST}))
    behind |= _made_only_of(models, moving, behind)
    return Flow(moving, [n for n in models.in_order(moving) if n not in behind], behind)


def _made_only_of(models: Models, moving: set[str], behind: set[str]) -> set[str]:
    """Return the moving models whose moving inputs all lie behind."""
    found: set[str] = set()
    for name in models.in_order(moving - behind):
        read = moving.intersection(models[name].parents)
        if read and read <= behind | found and not models[name].sources:
            found.add(name)
    return found
