"""`barsieve`, and `python -m barsieve`."""

import gc
import sys

# They replay a profile or two, and are to answer within a second.
QUICK = {"replay", "thresholds", "stress", "signal", "explain"}

INTERRUPTED = 130


def main() -> None:
    """Run the command line."""
    if QUICK & set(sys.argv[1:2]):
        # Such a command ends before there is garbage worth collecting; to look for it
        # among the modules that are being imported takes a tenth of a second and more.
        gc.disable()
        from barsieve.replay import worker

        worker.start()
    try:
        from barsieve.cli import app

        app()
    except KeyboardInterrupt:
        # Ctrl-C while the commands were still being imported.
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
