"""Signals: what makes an entry of a bar, compiled; the second body beside the SQL.

Score, side and threshold (`score`), gates and the first bar of a block to pass them
(`blocks`), the screen of an envelope (`envelope`), and all of it for the bars of one
profile (`bars`). `parity` holds it against the tables of every build.
"""
