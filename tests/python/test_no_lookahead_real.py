"""No row of the real market knows its future."""

import pytest

from compiled_project import CompiledProject
from truncated_history import first_failing_cut


@pytest.mark.slow
@pytest.mark.real_market
def test_no_row_of_the_real_market_knows_its_future(demo_build, real_market, tmp_path):
    project = CompiledProject(demo_build)
    assert first_failing_cut(project, real_market, tmp_path, seed=2) is None
