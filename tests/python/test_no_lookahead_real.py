"""No row of the real market knows its future."""

import pytest

from compiled_project import CompiledProject
from truncated_history import Proof


@pytest.fixture(scope="module")
def proof(demo_build, real_market, tmp_path_factory) -> Proof:
    folder = tmp_path_factory.mktemp("beside")
    project = CompiledProject(demo_build)
    return Proof(project, real_market, folder, seed=2, n_cuts=(2, 8, 1)).build()


@pytest.mark.slow
@pytest.mark.real_market
def test_no_row_of_the_real_market_knows_its_future(proof):
    assert proof.columns_that_tell() == {}


@pytest.mark.slow
@pytest.mark.real_market
def test_no_row_of_the_real_market_knows_the_future_of_all_symbols(proof):
    assert proof.hours_that_tell() == {}
