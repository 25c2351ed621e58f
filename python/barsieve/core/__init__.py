"""Errors, places, files, times, Arrow, schemas, numba's cache: for every room.

Imports nothing of ours.
"""
