"""Keys that tables have in common."""

ALL = "*"
"""What stands for the symbol where all that a profile trades is meant together."""
