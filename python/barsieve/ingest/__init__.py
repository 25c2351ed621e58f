"""From exchanges, statistics offices and files into the market layout.

A source module (`exchanges`, `fred`, `yahoo`, `coingecko`, `files`) turns answers into
Arrow tables of the layout's columns. `storing` compares them with what is stored and
writes; `market` guards the folder; `patience` is how often and how long to ask again.
"""
