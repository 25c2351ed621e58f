"""The built database: made, marked, opened, taken out; models run beside it."""
