"""Proof of no lookahead: models run again on histories that end early."""
