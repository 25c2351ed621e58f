"""Worth of a score before any replay: what it knows of the hours that follow."""
