"""Thousands of configurations over one market, by the same step as the replay.

Reading order: `grids` (which configurations), `inputs` (the bars they share), `screen`
(where any of them may enter), `buffers` (what a thread works in), `kernel` (one
configuration after the other), `figures` (what came of it), `run` (a symbol's sweep,
chunk by chunk), `tables` (what dbt builds), `store` (files that a rerun resumes),
`summary` (what a reader wants first), `overfit` (what the best owes to the search).
"""
