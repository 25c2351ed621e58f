"""The definitions written a second time, slowly, to hold the SQL against.

Everything is computed at one bar from plain slices that end with it: no rolling state,
no SQL, no shared code. Comparing the two is the only purpose; nothing else may import
this package.
"""
