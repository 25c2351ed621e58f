"""No row of the real market knows its future."""

import pytest

from barsieve.proof.lookahead import prove
from barsieve.proof.market import build_on
from test_no_lookahead import refuted


@pytest.mark.slow
@pytest.mark.real_market
def test_no_row_of_the_real_market_knows_its_future(demo_build, real_market, tmp_path):
    """The statements of the demo's build, run on the real market."""
    found = prove(build_on(demo_build.database, real_market, tmp_path))
    assert refuted(found) == {}
    assert sum(row.rows_compared for row in found) > 1_000_000
