"""What the files of a market say by themselves, before any build."""

from pathlib import Path

from barsieve.findings import Finding


def market_findings(market: Path, seed: Path) -> list[Finding]:
    """Return what a market folder lacks; `seed` declares the macro series."""
    return []
