"""Profiles: their schema, the checks before dbt reads them, their settings as values.

`legacy` reads Bull Machine v1.8 configs; only the command line imports it.
"""
