"""What every room may use: errors, places, files, times, Arrow, schemas, numba's cache.

Imports nothing of ours.
"""
