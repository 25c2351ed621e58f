"""The stateful replay: one step, compiled, run over every bar or only where it matters.

Reading order: `state` (what is carried), `costs` and `sizing` (what a fill costs, how
large it is), `exits` (how a position is left), `step` (one bar), `kernel` (many bars),
`wallet` (many symbols, one account), `runs` (a profile's tables in, its trades out).
"""
