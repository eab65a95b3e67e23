"""Which trials are composed before a search begins."""

import pytest

from pipeline.errors import ConfigError
from pipeline.search.space import parse_space
from pipeline.sweeping.bases import GROUPS
from pipeline.sweeping.variants import variants, variants_of

SPACE = parse_space(
    {
        "trainer": {"when": {"experiment": "a"}, "of": "choice(compiled, exact)"},
        "experiment": "choice(b, a)",
        "model.l2": "interval(0.5, 1)",
    }
)


def test_each_choice_of_a_group_is_there_with_what_it_depends_on_and_the_first_value_of_all_else() -> None:
    assert variants_of(SPACE, GROUPS) == [
        ["experiment=b", "model.l2=0.5"],
        ["experiment=a", "trainer=compiled", "model.l2=0.5"],
        ["experiment=a", "trainer=exact", "model.l2=0.5"],
    ]
    assert variants_of(SPACE, ()) == [["experiment=b", "model.l2=0.5"]]


def test_each_end_and_each_choice_is_there() -> None:
    assert [variant[-1] for variant in variants(SPACE)].count("model.l2=1.0") == 1
    assert {override for variant in variants(SPACE) for override in variant} >= {"trainer=exact", "experiment=b"}


def test_too_many_groups_are_refused() -> None:
    many = parse_space({"experiment": "range(9)", "dataset": "range(8)"})
    with pytest.raises(ConfigError, match=r"^sweep\.space: experiment, dataset have more than 64 combinations\."):
        variants_of(many, GROUPS)
