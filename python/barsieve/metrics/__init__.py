"""Figures of a replay, and how far each may be chance."""
