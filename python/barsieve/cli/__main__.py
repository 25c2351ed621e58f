"""`python -m barsieve.cli`."""

from barsieve.cli import app

app()
