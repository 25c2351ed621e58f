"""Paper trading: the clock, the journal of what was said, and whether it is batch."""
