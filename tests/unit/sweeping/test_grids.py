"""A grid of Hydra's is counted before its first job."""

import time

import pytest

from pipeline.errors import ConfigError
from pipeline.sweeping.grids import check_grid


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (
            ["a=range(0,1000)", "b=range(1,1001)", "c=3"],
            "the grid has 1,000,000 jobs (1,000 of a x 1,000 of b), expected 10,000 at most. Leave values out, or let "
            "a search choose among them: sweep=<name>.",
        ),
        (["+a=shuffle(range(0,1e12))"], "the grid has 1,000,000,000,000 jobs (1,000,000,000,000 of a), expected"),
        (["a=range(0,5001)", "b=choice(1,2)"], "the grid has 10,002 jobs (5,001 of a x 2 of b), expected 10,000"),
        (["a=range(0,0)"], "a: 'range(0,0)' holds no value."),
        (["a=range(0,1,0)"], "a: found 'range(0,1,0)', expected finite numbers and a step that is not 0."),
        (["model.l2=interval(0,1)"], "model.l2: found 'interval(0,1)', of which a grid cannot try each value. Add sw"),
        (["a=tag(log,interval(1e-3,1))"], "a: found 'tag(log,interval(1e-3,1))', of which a grid cannot try each"),
        (["a=1,2", "sweep.trials=9"], "sweep.trials is a setting of a search, and none is chosen. Add sweep=<name>."),
    ],
)
def test_a_grid_that_cannot_be_run_is_refused_at_once(arguments: list[str], error: str) -> None:
    start = time.monotonic()
    with pytest.raises(ConfigError) as refused:
        check_grid(arguments)
    assert str(refused.value).startswith(error)
    assert time.monotonic() - start < 5, "it was listed"


def test_grids_as_hydra_takes_them() -> None:
    check_grid(["experiment=linear_line", "a=[1,2],[3]", "b=range(0,5000)", "~d", "b=range(0,1,0.0002)"])
