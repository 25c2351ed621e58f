"""The same rules and bars through barsieve's kernel, vectorbt and backtesting.py.

Reading order: `rules` (what all three trade), `own`, `in_vectorbt`, `in_backtesting`
(how each says it), `bench` (whether they agree, and how long each took).
"""
