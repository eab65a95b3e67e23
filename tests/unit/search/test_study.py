"""What a study refuses, how it ends, and which trials are the best; and mode `async`."""

import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.sweep import PrunerConfig, SamplerConfig, SweepConfig
from pipeline.errors import ConfigError
from pipeline.layout import Layout
from pipeline.search.plan import Plan
from pipeline.search.progress import Progress, progress
from pipeline.search.storage import JOURNAL_FILE
from pipeline.search.study import Study
from pipeline.search.trial import Result, result_of
from pipeline.tracking.sweep import Sweep, read_sweep
from pipeline.tracking.sweep_job import FAILED, FINISHED, PRUNED, RUNNING, SweepJob
from tests.unit.search.simulated import CONDITIONAL, SPACE, Search, plan_of

MEDIAN = PrunerConfig("median")


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (plan_of(trials=0), "sweep.trials: found 0, expected 1 or more."),
        (plan_of(lag=0), "sweep.lag: found 0, expected 1 or more."),
        (plan_of(workers=0), "sweep.workers: found 0, expected 1 or more."),
        (plan_of(workers=9), "sweep.workers: found 9, expected 8 at most: in mode ordered only sweep.lag trials are"),
        (plan_of(mode="orderd"), "sweep.mode: 'orderd' is unknown (ordered, async). Did you mean 'ordered'?"),
        (plan_of(constraints=["parameters < 3"]), "sweep.constraints: found 'parameters < 3', expected such as"),
        (plan_of(constraints=["parameters <= x"]), "sweep.constraints: found 'parameters <= x', expected such as"),
        (plan_of(constraints=["a <= 1", "a <= 1"]), "sweep.constraints: found 'a <= 1', expected each one once."),
        (plan_of({}), "sweep.space: found nothing to search"),
        (
            plan_of(sampler="tpee"),
            "sweep.sampler.name: 'tpee' is unknown (tpe, gp, cmaes, nsga2, random, qmc, grid). Did",
        ),
        (plan_of(startup=0), "sweep.sampler.startup: found 0, expected 1 or more."),
        (plan_of(sampler="random", startup=3), "sweep.sampler.startup=3: random does not read it; it has no options."),
        (plan_of(sampler="grid"), "sweep.space.model.dropout: an interval has no end of values"),
        (plan_of(pruner=PrunerConfig("medium")), "sweep.pruner.name: 'medium' is unknown (none, median, percentile, "),
        (
            plan_of(pruner=PrunerConfig("median", patience=9)),
            "sweep.pruner.patience=9: median does not read it; it reads warmup_epochs, startup_trials, inter",
        ),
        (plan_of(pruner=PrunerConfig("median", warmup_epochs=-1)), "sweep.pruner.warmup_epochs: found -1, expected 0"),
        (plan_of(pruner=PrunerConfig("hyperband")), "sweep.pruner.max_epochs: found 0, expected the epochs of a whole"),
        (
            plan_of(pruner=PrunerConfig("hyperband", min_epochs=5, max_epochs=3)),
            "sweep.pruner.max_epochs: found 3, expected 0 or at least min_epochs (5).",
        ),
        (plan_of(pruner=MEDIAN, objectives=2), "sweep.pruner.name=median compares one objective, found 2. Use none."),
    ],
)
def test_plans_that_cannot_be_used(plan: Plan, message: str, tmp_path: Path) -> None:
    """Nothing is written."""
    with pytest.raises(ConfigError) as caught:
        Study.create_or_open(plan, Layout(tmp_path))
    assert str(caught.value).startswith(message)
    assert not list(tmp_path.iterdir())


def test_what_a_sampler_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.search.samplers.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"sweep.sampler.name=gp needs the package torch, which is not installed"):
        plan_of(sampler="gp").checked()
    monkeypatch.setattr("pipeline.search.samplers.find_spec", lambda name: name)
    with pytest.raises(ConfigError, match=r"name=cmaes needs two numbers or more to search, found a\. Use tpe"):
        plan_of({"a": "interval(0,1)", "b": "x,y"}, sampler="cmaes").checked()
    with pytest.raises(ConfigError, match=r"cmaes has one objective, found 2\. Use one of: tpe, gp, nsga2, random"):
        plan_of(sampler="cmaes", objectives=2).checked()


BEGUN = plan_of(trials=3)


def changed(**settings: Any) -> Plan:
    return replace(BEGUN, settings=replace(BEGUN.settings, **settings))


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (
            changed(space={**SPACE, "model.dropout": "interval(0, 0.4)"}),
            "sweep found: sweep.space.model.dropout was interval(0, 0.5) when the sweep began, found interval(0, 0.4).",
        ),
        (changed(space=CONDITIONAL), "sweep found: sweep.space.trainer.momentum.when.trainer.optimizer was not there"),
        (
            changed(seed=2),
            "sweep found: sweep.seed was 1 when the sweep began, found 2. Put it back, or give sweep.name",
        ),
        (
            changed(sampler=SamplerConfig("qmc")),
            "sweep found: sweep.sampler.name was tpe when the sweep began, found qmc",
        ),
        (changed(lag=2), "sweep found: sweep.lag was 8 when the sweep began, found 2."),
        (changed(objectives=["val_accuracy"]), "sweep found: sweep.objectives was ['val_loss'] when the sweep began"),
        (replace(BEGUN, overrides=("experiment=rnn",)), "sweep found: overrides was ['experiment=cnn_digits'] when"),
        (replace(BEGUN, directions=("maximize",)), "sweep found: directions was ['minimize'] when the sweep began"),
        (
            replace(BEGUN, code="code:1 data:3"),
            "sweep found was begun with other code and data (2, here 1, 2, here 3), so its trials cannot be compared",
        ),
    ],
)
def test_another_search_of_the_same_name(plan: Plan, message: str, tmp_path: Path) -> None:
    Study.create_or_open(BEGUN, Layout(tmp_path))
    with pytest.raises(ConfigError) as caught:
        Study.create_or_open(plan, Layout(tmp_path))
    assert str(caught.value).startswith(message)


def test_what_may_change_while_a_search_goes_on(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    Study.create_or_open(BEGUN, layout)
    now = changed(trials=5, workers=2, keep=0, strict=True, seconds=9.0)
    Study.create_or_open(now, layout)
    assert Study.open("", "found", layout).plan == now


def test_records_of_another_study_of_the_same_name(tmp_path: Path) -> None:
    """As when the storage is another one, or the study was removed."""
    layout = Layout(tmp_path)
    folder = layout.sweep("found")
    Sweep(study=Study.create_or_open(BEGUN, layout).token).save(folder)
    SweepJob(folder, 0, []).save()
    assert Study.create_or_open(BEGUN, layout).token == read_sweep(folder).study
    (folder / JOURNAL_FILE).unlink()
    with pytest.raises(ConfigError, match=r"^sweep found: its folder in runs/sweeps/ has records of another search of"):
        Study.create_or_open(BEGUN, layout)
    shutil.rmtree(folder / "0")
    assert Study.create_or_open(BEGUN, layout).token != read_sweep(folder).study


def test_a_search_that_is_not_there(tmp_path: Path) -> None:
    """The folder of a plain grid has no study, and gets none."""
    folder = Layout(tmp_path).sweep("found")
    folder.mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"sweep found: not found in .*Begin it by its command"):
        Study.open("", "found", Layout(tmp_path))
    assert not list(folder.iterdir())


def finished(plan: Plan, folder: Path, results: list[Result]) -> Study:
    study = Study.create_or_open(plan, Layout(folder))
    for result in results:
        claimed = study.claim()
        assert claimed is not None
        claimed.finish(result)
    return study


def test_the_best_one(tmp_path: Path) -> None:
    """The first of equal ones, of those that keep the constraints; failures are none."""
    plan = plan_of(trials=6, constraints=["parameters <= 9"])
    study = finished(
        plan,
        tmp_path,
        [
            Result(FINISHED, (3.0,), (0.0,)),
            Result(FINISHED, (1.0,), (0.5,)),
            Result(FAILED, error="no memory", log="0/traceback.txt"),
            Result(FINISHED, (2.0,), (-1.0,)),
            Result(FINISHED, (2.0,), (-1.0,)),
            Result(FINISHED, (math.nan,), (-1.0,)),
            Result(FINISHED, (1.0,), (math.inf,)),
        ],
    )
    assert study.best() == [3]
    results = [result_of(trial) for trial in study.trials()]
    assert results[0] == Result(FINISHED, (3.0,), (0.0,))
    assert results[2] == Result(FAILED, error="no memory", log="0/traceback.txt")
    assert results[5].error == "an objective or a constraint is not finite: found nan, -1.0"
    assert results[6].status == FAILED
    assert not study.done


def test_the_pareto_front(tmp_path: Path) -> None:
    plan = replace(plan_of(trials=5, objectives=2), directions=("minimize", "maximize"))
    values = [(1.0, 1.0), (2.0, 2.0), (2.0, 1.0), (0.5, 0.0), (1.0, 1.0)]
    study = finished(plan, tmp_path, [Result(FINISHED, pair) for pair in values])
    assert study.best() == [0, 1, 3, 4]
    assert study.done
    assert study.claim() is None


def test_leaving_a_trial_frees_it(tmp_path: Path) -> None:
    study = Study.create_or_open(plan_of(trials=2), Layout(tmp_path))
    other = Study.open("", "found", Layout(tmp_path))
    claimed, second = study.claim(), other.claim()
    assert claimed is not None
    assert second is not None
    assert (claimed.number, second.number) == (0, 1)
    with claimed:
        pass
    again = other.claim()
    assert again is not None
    assert (again.number, again.overrides) == (0, claimed.overrides)


def test_an_objective_that_no_epoch_has(tmp_path: Path) -> None:
    study = Study.create_or_open(plan_of(pruner=MEDIAN), Layout(tmp_path))
    claimed = study.claim()
    assert claimed is not None
    with pytest.raises(ConfigError, match=r"no epoch has the objective 'val_loss', found loss, val_accuracy"):
        claimed.should_prune(1, {"loss": 1.0, "val_accuracy": 0.5})


ASYNC: dict[str, dict[str, Any]] = {
    "tpe, median": {"pruner": PrunerConfig("median", startup_trials=2)},
    "tpe, hyperband": {"pruner": PrunerConfig("hyperband", reduction=2, max_epochs=4)},
    "random, conditional": {"sampler": "random", "startup": 10, "space": CONDITIONAL},
    "qmc": {"sampler": "qmc", "startup": 10},
    "grid": {"sampler": "grid", "startup": 10, "space": {"a": "range(2)", "b": "range(7)"}},
}


@pytest.mark.parametrize("case", ASYNC)
def test_async_ends_with_exactly_as_many_as_asked(case: str, tmp_path: Path) -> None:
    """Whatever dies on the way. A grid tries each combination once."""
    plan = plan_of(mode="async", trials=14, **{"startup": 4, **ASYNC[case]})
    found = Search(tmp_path / "a", plan, workers=3, order=1, dies_within=9, failing=5).run()
    states = [state for _, state, *_ in found.trials()]
    assert found.kills > 3
    assert "RUNNING" not in states
    ended = len(states) if case == "grid" else states.count("COMPLETE") + states.count("PRUNED")
    assert ended == 14
    assert len({str(params) for _, _, params, *_ in found.trials()}) == len(states)
    if "pruner" in ASYNC[case]:
        assert states.count("PRUNED") > 0


def test_async_begins_one_trial_for_each_worker(tmp_path: Path) -> None:
    study = Study.create_or_open(plan_of(mode="async", trials=3), Layout(tmp_path))
    claimed = [study.claim() for _ in range(4)]
    assert [each and each.number for each in claimed] == [0, 1, 2, None]
    assert not study.done


F, P, X, R = FINISHED, PRUNED, FAILED, RUNNING


@pytest.mark.parametrize(
    ("mode", "sampler", "statuses", "expected"),
    [
        ("ordered", "tpe", [], Progress(0, 0, 4, False, False)),
        ("ordered", "tpe", [F, R, P, F], Progress(1, 0, 5, False, False)),
        ("ordered", "tpe", [F, X, P, R], Progress(3, 1, 7, False, False)),
        ("ordered", "tpe", [F] * 8 + [R], Progress(8, 0, 10, False, False)),
        ("ordered", "tpe", [F] * 9 + [X, P], Progress(11, 1, 11, True, False)),
        ("ordered", "tpe", [F] * 12, Progress(10, 0, 10, True, False)),
        ("ordered", "tpe", [X] * 8, Progress(8, 8, 12, True, True)),
        ("ordered", "tpe", [X] * 8 + [F], Progress(8, 8, 12, True, True)),
        ("ordered", "tpe", [F] + [X] * 20, Progress(21, 20, 25, True, True)),
        ("ordered", "grid", [X] * 9 + [R], Progress(9, 9, 10, False, False)),
        ("ordered", "grid", [X] * 9 + [F], Progress(10, 9, 10, True, False)),
        ("async", "tpe", [R, R, F, X], Progress(2, 1, 5, False, False)),
        ("async", "tpe", [R] * 10, Progress(0, 0, 10, False, False)),
        ("async", "tpe", [R] + [F] * 9 + [X, P], Progress(11, 1, 11, True, False)),
        # what still runs may finish, and nothing else begins before it has
        ("async", "tpe", [X, R, R] + [X] * 7, Progress(8, 8, 10, False, False)),
        ("async", "tpe", [X, F, R] + [X] * 7, Progress(9, 8, 11, False, False)),
        ("async", "tpe", [X] * 10, Progress(10, 10, 11, True, True)),
    ],
)
def test_how_far_a_search_is(mode: str, sampler: str, statuses: list[str], expected: Progress) -> None:
    """Of ten trials, with a lag of four."""
    plan = plan_of(mode=mode, sampler=sampler, trials=10, lag=4)
    assert progress(plan, 10, statuses) == expected


def test_settings_of_a_search_have_one_default_each() -> None:
    """A plan that was stored is read as it was, whichever settings it has."""
    settings = SweepConfig(space={"a": {"when": {"b": [1, 2]}, "of": "c,d"}, "b": "1,2,3"}, constraints=["p >= 1e3"])
    plan = Plan("team/small", "e", ("experiment=e", "x='a b'"), settings, ("maximize",), "c")
    assert Plan.from_json(plan.as_json(), "") == plan
    secret = replace(plan, settings=replace(settings, storage="postgresql://me:secret@host/studies"))
    assert "secret" not in str(secret.as_json())
