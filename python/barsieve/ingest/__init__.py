"""Ingest from exchanges, statistics offices and files into the market layout.

A source module (`exchanges`, `fred`, `yahoo`, `coingecko`, `files`) turns answers into
Arrow tables of the layout's columns. `merge` compares them with what is stored and
writes; `folder` guards it; `retry` is how often and how long to ask again.
"""
