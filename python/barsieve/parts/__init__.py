"""Parts of a build: the models that read one symbol at a time, run symbol by symbol.

`plan` says which statements those are, `task` runs them for one symbol and knows no
engine, `driver` makes one database of the parts. Engines are the files that bring tasks
to processors: `processes` (this machine) and `ray`.
"""
