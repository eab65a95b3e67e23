"""What samplers choose, and when pruners stop."""

import os
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pipeline.config.sweep import Constraint, PrunerConfig
from pipeline.errors import ConfigError
from pipeline.search.asking import Pruning, ask
from pipeline.search.parameter import Parameter
from pipeline.search.samplers import SAMPLERS, value_at
from pipeline.search.space import parse_space
from pipeline.search.storage import silence
from tests.unit.search.simulated import CONDITIONAL, plan_of


def asked(count: int, **how: Any) -> list[dict[str, Any]]:
    """The values of the first trials of a search, none of which has ended."""
    plan = plan_of(**how)
    seen: list[Any] = []
    for _ in range(count):
        seen.append(ask(plan, plan.checked(), seen))
    return [trial.params for trial in seen]


@pytest.mark.parametrize("sampler", ["random", "qmc"])
def test_whole_spaces_are_covered(sampler: str) -> None:
    values = asked(64, sampler=sampler, space=CONDITIONAL)
    layers = [params["model.layers"] for params in values]
    assert {layers.count(count) > 5 for count in (1, 2, 3, 4)} == {True}
    rates = np.log10([params["trainer.lr"] for params in values])
    assert -4 <= rates.min() < -3.7
    assert -1.3 < rates.max() <= -1
    for params in values:
        assert ("trainer.momentum" in params) == (params["trainer.optimizer"] == "sgd")


def test_quasi_random_points_are_evenly_spread() -> None:
    """Of 64 points of a Sobol sequence, 8 are in each eighth of each key, which random ones are not."""
    values = asked(64, sampler="qmc", space={"a": "interval(0,8)", "b": "tag(log,interval(1,256))", "c": "range(8)"})
    assert np.histogram([params["a"] for params in values], 8, (0, 8))[0].tolist() == [8] * 8
    assert np.histogram(np.log2([params["b"] for params in values]), 8, (0, 8))[0].tolist() == [8] * 8
    assert np.bincount([params["c"] for params in values]).tolist() == [8] * 8


@pytest.mark.parametrize(
    ("parameter", "expected"),
    [
        (Parameter("a", low=0, high=10), [0.0, 5.0, 10.0]),
        (Parameter("a", low=1, high=100, log=True), [1.0, 10.0, 100.0]),
        (Parameter("a", low=1, high=3, whole=True), [1, 2, 3]),
        (Parameter("a", low=1, high=8, whole=True, log=True), [1, 2, 8]),
        (Parameter("a", texts=("x", "y", "z")), ["x", "y", "z"]),
        (parse_space({"a": "range(0, 0.3, 0.1)"}).parameters[0], [0.0, 0.1, 0.2]),
    ],
)
def test_where_a_value_stands(parameter: Parameter, expected: list[Any]) -> None:
    found = [value_at(parameter, where) for where in (0.0, 0.5, 1 - 2**-53)]
    assert found == pytest.approx(expected) if isinstance(expected[0], float) else found == expected


SHOWN = """
import json, warnings
warnings.simplefilter("error")
from tests.unit.search.test_samplers import asked
from tests.unit.search.simulated import CONDITIONAL
from pipeline.search.storage import silence
silence()
print(json.dumps([asked(3, sampler=s, startup=10, space=CONDITIONAL) for s in ("tpe", "random", "qmc")]))
"""


def test_the_same_in_every_process_and_without_a_word() -> None:
    """Whatever the order of Python's sets, and with no line of Optuna's."""
    command = [sys.executable, "-c", SHOWN]
    done = [
        subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True)
        for seed in ("1", "2")
    ]
    assert [each.stderr for each in done] == ["", ""]
    assert done[0].stdout == done[1].stdout


def test_optuna_is_imported_when_it_is_needed() -> None:
    """`--help` and a plan that is refused do without it."""
    code = "import sys, pipeline.search.study; sys.exit('optuna' in sys.modules or 'sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_sampler_says_what_it_is() -> None:
    for name, sampler in SAMPLERS.items():
        if name != "random":
            assert sampler.build.__doc__, name


def stops(pruner: PrunerConfig, others: list[list[float]], own: list[float], direction: str = "minimize") -> int:
    """The epoch at which a trial stops that has the values `own`, when others had theirs; 0: it goes on to its end."""
    from optuna.trial import TrialState, create_trial

    from pipeline.search.view import numbered

    silence()
    seen = [
        numbered(
            create_trial(state=TrialState.COMPLETE, value=values[-1], intermediate_values=dict(enumerate(values, 1))),
            number,
        )
        for number, values in enumerate(others)
    ]
    seen.append(numbered(create_trial(state=TrialState.RUNNING), len(seen)))
    plan = plan_of(pruner=pruner)
    pruning = Pruning(replace(plan, directions=(direction,)), seen, len(others))
    return next((epoch for epoch, value in enumerate(own, 1) if pruning.stops(epoch, value)), 0)


GOOD = [[3.0, 2.0, 1.0, 1.0, 1.0]] * 5
BAD = [4.0, 4.0, 4.0, 4.0, 4.0]


@pytest.mark.parametrize(
    ("pruner", "epoch"),
    [
        (PrunerConfig("none"), 0),
        (PrunerConfig("median"), 1),
        (PrunerConfig("median", warmup_epochs=2), 3),
        (PrunerConfig("median", startup_trials=6), 0),
        (PrunerConfig("median", warmup_epochs=1, interval_epochs=3), 2),
        (PrunerConfig("percentile", percentile=50.0), 1),
        (PrunerConfig("patient", patience=1), 0),
    ],
)
def test_when_a_bad_trial_stops(pruner: PrunerConfig, epoch: int) -> None:
    assert stops(pruner, GOOD, BAD) == epoch
    assert stops(pruner, GOOD, [2.0, 1.0, 0.5, 0.5, 0.5]) == 0
    assert stops(pruner, [[-value for value in values] for values in GOOD], [-value for value in BAD], "maximize") == (
        epoch
    )


def test_patience() -> None:
    """A trial that is worse than the median is let go on while it gets better."""
    patient = PrunerConfig("patient", patience=1)
    assert stops(patient, GOOD, [9.0, 8.0, 7.0, 6.0, 5.0]) == 0
    assert stops(patient, GOOD, [9.0, 8.0, 8.5, 8.6, 8.7]) == 4


@pytest.mark.parametrize(
    ("text", "value", "excess"),
    [("parameters <= 1e5", 100_001.0, 1.0), ("val_accuracy>=0.9", 0.75, 0.9 - 0.75), ("val_ece <= 0.1", 0.1, 0.0)],
)
def test_constraints(text: str, value: float, excess: float) -> None:
    assert Constraint.parse(text).excess(value) == excess


def test_no_constraint() -> None:
    with pytest.raises(ConfigError, match=r"sweep.constraints: found 'x = 3', expected such as 'parameters <= 100000'"):
        Constraint.parse("x = 3")
