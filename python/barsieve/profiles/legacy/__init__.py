"""Bull Machine v1.8 configs read as profiles: every key accounted for."""
