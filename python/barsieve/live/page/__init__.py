"""One page on the loopback address that follows paper trading; it writes nothing."""
