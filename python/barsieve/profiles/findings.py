"""Keys of a sound profile that have no effect, since another key dominates them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from barsieve.core.findings import Finding
from barsieve.profiles.check import check_profile
from barsieve.profiles.contradictions import EVERY

FINDING = "key_without_effect"


def _symbol_of(profile: dict[str, Any]) -> str:
    """Return the symbol that a profile trades, `*` for several."""
    symbols: list[str] = profile["symbols"]
    return symbols[0] if len(symbols) == 1 else EVERY


def _dominated(
    profile: dict[str, Any], key: str, value: float, by: str, limit: float, why: str
) -> Finding:
    return Finding(
        symbol=_symbol_of(profile),
        subject=f"{profile['profile']}: {key}",
        finding=FINDING,
        value=float(value),
        threshold=float(limit),
        meaning=f"{key} {value:g} decides nothing beside {by} {limit:g}: {why}",
    )


def _vetoes(profile: dict[str, Any]) -> Iterator[Finding]:
    """Yield the veto limits that are no tighter than the macro exit."""
    gates = (profile["screen"]["envelope"] or {}).get("gates", {})
    leaves = profile["exits"]["macro_exit_veto"]
    # An envelope that covers other exits may let a veto limit decide.
    if None in (leaves, gates.get("macro_exit_veto", leaves)):
        return
    why = "nothing is entered at a net veto that would leave it at once"
    limits = {"entry.veto_limit": profile["entry"]["veto_limit"]}
    if "veto_limit" in gates and "macro_exit_veto" not in gates:
        limits["screen.envelope.gates.veto_limit"] = gates["veto_limit"]
    for key, limit in limits.items():
        # A wider envelope still covers more than a profile whose own limit binds.
        own = profile["entry"]["veto_limit"]
        if limit >= leaves and (key == "entry.veto_limit" or own >= leaves):
            yield _dominated(profile, key, limit, "exits.macro_exit_veto", leaves, why)


def _partials(profile: dict[str, Any]) -> Iterator[Finding]:
    """Yield a partial that lies beyond the target."""
    exits = profile["exits"]
    if None in (exits["partial_at_r"], exits["target_r"]):
        return
    if exits["partial_at_r"] >= exits["target_r"]:
        yield _dominated(
            profile, "exits.partial_at_r", exits["partial_at_r"], "exits.target_r",
            exits["target_r"],
            "the target closes all before a part could be closed, so partial_share, "
            "trail_atr and break-even decide nothing either",
        )  # fmt: skip


def _streaks(profile: dict[str, Any]) -> Iterator[Finding]:
    """Yield a count of losses that raises nothing."""
    entry = profile["entry"]
    if entry["loss_streak_shift"] == 0:
        yield _dominated(
            profile, "entry.loss_streak_trades", entry["loss_streak_trades"],
            "entry.loss_streak_shift", 0.0, "a streak of losses raises nothing",
        )  # fmt: skip


def _places(profile: dict[str, Any]) -> Iterator[Finding]:
    """Yield a limit of open positions where each account has one symbol."""
    wallet = profile["wallet"]
    if wallet["kind"] == "separate" and wallet["max_positions"] is not None:
        key, most = "wallet.max_positions", wallet["max_positions"]
        yield Finding(
            symbol=_symbol_of(profile),
            subject=f"{profile['profile']}: {key}",
            finding=FINDING,
            value=float(most),
            threshold=None,
            meaning=f"{key} {most:g} decides nothing beside wallet.kind separate: each "
            "account has one symbol, and so one position at most",
        )


def profile_findings(profile: dict[str, Any]) -> list[Finding]:
    """Return the keys of a sound profile that another key dominates."""
    rules = (_vetoes, _partials, _streaks, _places)
    return [finding for rule in rules for finding in rule(profile)]


def config_findings(folder: Path) -> list[Finding]:
    """Return the keys without effect of every sound profile in a folder."""
    found: list[Finding] = []
    for path in sorted(folder.glob("*.json")):
        profile, problems = check_profile(path)
        if profile and not problems:
            found += profile_findings(profile)
    return found
