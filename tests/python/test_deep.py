"""LSTMs of learned exits are fitted only where a build is asked for them."""

import subprocess
import sys

import duckdb
import pytest

from barsieve.analysis import trade_learning
from barsieve.core.errors import InputError
from barsieve.database.models import read_models

ASKS = """
import sys
import duckdb
from barsieve.learning.exits.walk import exit_learned
asks = duckdb.sql("select 'p' as profile, 'lstm' as learned_model")
assert exit_learned(asks, None, None).num_rows == 0
assert not {'keras', 'jax'} & sys.modules.keys()
"""


@pytest.mark.slow
def test_a_default_build_fits_no_lstm_and_imports_no_keras():
    subprocess.run([sys.executable, "-c", ASKS], check=True)


@pytest.mark.slow
@pytest.mark.parametrize(("model", "extra"), [("boosting", "ml"), ("lstm", "deep")])
def test_to_learn_anew_without_its_libraries_says_what_to_install(
    monkeypatch, model, extra
):
    monkeypatch.setattr(trade_learning, "missing", {extra: "a library"}.get)
    row = {"profile": "p", "learned_model": model}
    with pytest.raises(InputError, match=rf"pip install 'barsieve\[{extra}\]'"):
        trade_learning._model_now(None, row, is_refitted=True)


@pytest.mark.slow
def test_the_build_says_whether_it_was_asked_for(demo_build):
    with demo_build.connect() as connection:
        model = read_models(connection, demo_build.database)["exit_learned"]
    assert "meta_dict = {'deep': False}" in model.compiled_code


@pytest.mark.slow
def test_a_profile_without_its_lstm_is_told_what_to_do(demo_build):
    with demo_build.connect() as connection:
        models = read_models(connection, demo_build.database)
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as barsieve")
        connection.execute("use barsieve")
        connection.execute("create table exit_learned as select 'fitted' as profile")
        connection.execute(
            "create table config_profiles as "
            "select unnest(['fitted', 'left', 'trees']) as profile, "
            "unnest(['lstm', 'lstm', 'boosting']) as learned_model, "
            "['ETH'] as symbols"
        )
        found = connection.execute(models["report_health_learned"].compiled_code)
        ((symbol, subject, finding, *_, meaning),) = found.fetchall()
    assert (symbol, subject, finding) == ("ETH", "left", "no_lstm")
    assert "dbt build --vars 'deep: true'" in meaning
