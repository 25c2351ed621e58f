"""Lists of models in `dbt_project.yml`: what is refused, and in which words."""

import pytest

from barsieve.core.errors import InputError
from barsieve.core.model_lists import LISTS, list_problems, lists_of, model_lists

SHIPPED = {"domains": ["a"], "sentinels": ["b"], "macro_signals": ["c"]}


def test_a_projects_own_names_come_after_the_shipped_ones():
    lists = lists_of(SHIPPED | {"own_domains": ["z", "d"], "own_sentinels": None})
    assert lists.domains == ("a", "z", "d")
    assert lists.sentinels == ("b",)
    assert not list(list_problems(lists))


@pytest.mark.parametrize("given", ["drift", 3, {"drift": 1}, True])
def test_a_variable_that_is_no_list_is_refused_with_the_fix(given):
    with pytest.raises(InputError, match=r"(?s)vars own_domains: .*in brackets"):
        lists_of(SHIPPED | {"own_domains": given})


@pytest.mark.parametrize("name", LISTS)
def test_an_empty_list_is_a_problem(name):
    (problem,) = list_problems(lists_of(SHIPPED | {name: []}))
    assert name in problem.where
    assert problem.found == "none"


@pytest.mark.parametrize("name", ["Drift", "my-drift", "", 3, {"a": 1}])
def test_what_is_no_name_of_a_model_is_a_problem(name):
    (problem,) = list_problems(lists_of(SHIPPED | {"own_domains": [name]}))
    assert problem.found == repr(name)


def test_variables_that_are_no_mapping_are_refused(tmp_path):
    (tmp_path / "dbt_project.yml").write_text("name: mine\nvars: [a]\n")
    with pytest.raises(InputError, match="vars"):
        model_lists(tmp_path)
