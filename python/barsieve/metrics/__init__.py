"""Metrics of accounts: performance, luck, overfitting, and how far chance reaches."""
