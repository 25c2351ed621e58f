"""Questions to a built database: replay, what if, explain, compare, gates, log."""
