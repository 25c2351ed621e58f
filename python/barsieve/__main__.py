"""`barsieve`, and `python -m barsieve`."""

import sys

# These replay: their machine code loads while the rest of the command does.
REPLAYING = {"replay", "thresholds", "stress", "signal", "explain"}


def main() -> None:
    """Run the command line."""
    if REPLAYING & set(sys.argv[1:2]):
        from barsieve.replay import apart

        apart.start()
    from barsieve.cli import app

    app()


if __name__ == "__main__":
    main()
