"""Benchmarks: of a build and its commands, and beside other backtesters (`peers`)."""
