"""A proof as it is asked for: of the market that was built, or of another one."""

import tempfile
from pathlib import Path

from barsieve.database.connect import open_database
from barsieve.proof.lookahead import Listener, prove
from barsieve.proof.market import build_on
from barsieve.proof.record import refuse_other_input
from barsieve.proof.verdicts import Finding


def proven(
    database: Path, n_cuts: int, seed: int, market: Path | None, listener: Listener
) -> list[Finding]:
    """Prove a built database, or its models on another market's folder.

    Nothing is written. Raises InputError for a database of other code, configs or
    market than there are now, and for a folder that is no market.
    """
    with open_database(database) as connection:
        refuse_other_input(connection, database)
    if market is None:
        return prove(database, n_cuts, seed, listener)
    with tempfile.TemporaryDirectory() as folder:
        made = build_on(database, market, Path(folder))
        return prove(made, n_cuts, seed, listener)
