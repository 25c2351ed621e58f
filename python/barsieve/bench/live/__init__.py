"""Benchmark of paper trading: an hour, what was missed, a build after new bars."""
