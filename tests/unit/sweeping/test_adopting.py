"""From a trial to an experiment: what its file says, and what is not adopted. No training is needed for that."""

import shutil
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.adopt import adopt
from pipeline.compose import as_plain, compose_config
from pipeline.errors import ConfigError
from pipeline.layout import PREDICTIONS, Layout
from pipeline.run import identified
from pipeline.tracking.sweep import Sweep
from pipeline.tracking.sweep_job import FAILED, FINISHED, PRUNED, SweepJob
from tests.clones import ROOT

STATUSES = [FINISHED, FINISHED, FINISHED, PRUNED, FAILED]
RATES = [0.1, 0.2, 0.3, 0.4, 0.5]
LOSSES = [0.5, 0.25, 0.75, 0.9, 0.0]


def save_sweep(layout: Layout, name: str, *goals: str) -> None:
    """Five trials. With a second goal, trials 0 and 1 are the Pareto front, and trial 2 breaks a constraint."""
    Sweep(f"python -m pipeline.train -m sweep=linear sweep.name={name}").save(layout.sweep(name))
    for number, status in enumerate(STATUSES):
        overrides = [
            "experiment=linear_diabetes",
            "trainer.epochs=3",
            f"trainer.optimizer.learning_rate={RATES[number]}",
        ]
        job = SweepJob(layout.sweep(name), number, overrides, status, "linear_diabetes", objective=goals[0])
        job.objectives, job.values = list(goals), [LOSSES[number], [2.0, 3.0, 9.0, 9.0, 9.0][number]][: len(goals)]
        job.constraints = [job.values[1] - 5] if len(goals) > 1 else []
        job.score = job.values[0]
        if status == FINISHED:
            run = identified(compose_config(layout, "config", overrides), layout)
            job.identity = run.folder.name
            rows = pq.read_table(run.prepared / "test.parquet")
            predicted = pa.table({"row": rows["row"], "prediction": rows["target"].cast(pa.float64())})
            if number < 2:
                run.output.mkdir(parents=True, exist_ok=True)
                pq.write_table(predicted, run.output / PREDICTIONS)
        job.save()


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    root = tmp_path_factory.mktemp("adopting")
    shutil.copytree(ROOT / "conf", root / "conf")
    shutil.copy(ROOT / "params.yaml", root)
    for name in ("src", "dvc.yaml", "requirements.lock"):
        (root / name).symlink_to(ROOT / name)
    found = Layout(root)
    save_sweep(found, "one", "val_loss")
    save_sweep(found, "two", "val_loss", "parameters")
    return found


def adopted(layout: Layout, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    """The experiment's file."""
    monkeypatch.chdir(layout.root)
    monkeypatch.setattr(sys, "argv", ["adopt", *arguments])
    adopt()
    name = next(argument.removeprefix("as=") for argument in arguments if argument.startswith("as="))
    return (layout.conf / "experiment" / f"{name}.yaml").read_text()


@pytest.mark.parametrize(
    ("arguments", "chosen", "rate"),
    [
        (["sweep=one"], "val_loss 0.25: the best of 3 trials; since it was chosen for that, it is better than it", 0.2),
        (["sweep=one", "trial=0"], "val_loss 0.5: number 2 of 3 trials, chosen by its number.", 0.1),
        (["sweep=one", "trial=2"], "val_loss 0.75: number 3 of 3 trials, chosen by its number.", 0.3),
        (["sweep=two", "trial=0"], "val_loss 0.5, parameters 2: one of 2 on the Pareto front of 3 trials; since", 0.1),
        (["sweep=two", "trial=2"], "val_loss 0.75, parameters 9: one of 3 trials, which misses a constraint and", 0.3),
    ],
)
def test_the_file_says_how_the_trial_was_chosen(
    arguments: list[str],
    chosen: str,
    rate: float,
    layout: Layout,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    name = "-".join(argument.replace("=", "_") for argument in arguments)
    written = adopted(layout, monkeypatch, *arguments, f"as={name}")
    number = int(dict(argument.split("=") for argument in arguments).get("trial", 1))
    assert f"# Trial {number} of sweep {arguments[0][6:]}, adopted on " in written
    assert f"#   python -m pipeline.train -m sweep=linear sweep.name={arguments[0][6:]}\n" in written
    assert f"# Validation {chosen}" in written
    if number < 2:  # its predictions are at hand, and have no error
        assert "# Test r2 1.0000 [1.0000, 1.0000] on " in written
        assert " test rows.\n" in written
        assert "test: r2 1.0000 [" in capsys.readouterr().out
    else:
        assert f"# `dvc repro evaluate@{name}` tells its test score.\n" in written
    assert f"  {name}: diabetes\n" in layout.params.read_text()
    composed = as_plain(compose_config(layout, "config", [f"experiment={name}"]))
    assert composed["trainer"]["optimizer"]["learning_rate"] == rate
    assert composed["trainer"]["epochs"] == 3


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["sweep=one"], "as missing. Usage: sweep=... as=... [trial=...]"),
        (["sweep=one", "as=x", "trail=1"], "'trail' is unknown (sweep, as, trial). Did you mean 'trial'?"),
        (["sweep=ones", "as=x"], "sweep: 'ones' is unknown (one, two). Did you mean 'one'?"),
        (["sweep=one", "trial=3", "as=x"], "trial 3 of sweep one is pruned. Adopt a finished one."),
        (["sweep=one", "trial=4", "as=x"], "trial 4 of sweep one is failed. Adopt a finished one."),
        (["sweep=one", "trial=9", "as=x"], "trial: found 9, expected the number of one of the 5 trials in "),
        (["sweep=one", "as=cnn_digits"], "conf/experiment/cnn_digits.yaml: is there already."),
        (["sweep=one", "as=gone"], "params.yaml: experiments names 'gone' already. Choose another name."),
    ],
)
def test_what_is_not_adopted_leaves_nothing(
    arguments: list[str], error: str, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = layout.params.read_text()
    if "as=gone" in arguments:
        layout.params.write_text(text.replace("experiments:\n", "experiments:\n  gone: diabetes\n"))
    before = content(layout)
    with pytest.raises(ConfigError) as refused:
        adopted(layout, monkeypatch, *arguments)
    assert str(refused.value).startswith(error)
    assert content(layout) == before
    layout.params.write_text(text)


@pytest.mark.parametrize(
    ("override", "advice"),
    [
        ("dataset.weight=age", "Make a dataset of its own in conf/dataset/ with this value, and search on that."),
        ("split.seed=7", "params.yaml has one split for all experiments: set it there, and search again."),
    ],
)
def test_a_trial_on_other_data_than_the_pipeline_prepares_is_not_adopted(
    override: str, advice: str, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = override.partition(".")[0]
    Sweep("").save(layout.sweep(name))
    overrides = ["experiment=linear_diabetes", override]
    SweepJob(layout.sweep(name), 0, overrides, FINISHED, objective="val_loss", score=0.5).save()
    before = content(layout)
    with pytest.raises(ConfigError) as refused:
        adopted(layout, monkeypatch, f"sweep={name}", "as=x")
    found = f"trial 0 of sweep {name} has {override}, which is not what the pipeline prepares diabetes with."
    assert str(refused.value) == f"{found} {advice}"
    assert content(layout) == before
    shutil.rmtree(layout.sweep(name))


def test_a_trial_of_another_configuration_is_not_adopted(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    path = layout.conf / "experiment" / "linear_diabetes.yaml"
    text = path.read_text()
    path.write_text(f"{text}\nseed: 77\n")
    before = content(layout)
    with pytest.raises(ConfigError, match="trial 1 of sweep one was trained with another configuration, code or data "):
        adopted(layout, monkeypatch, "sweep=one", "as=changed")
    assert content(layout) == before
    path.write_text(text)


def content(layout: Layout) -> dict[Path, str]:
    return {path: path.read_text() for path in [layout.params, *(layout.conf / "experiment").glob("*.yaml")]}
