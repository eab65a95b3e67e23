"""What is asked of a search: from Hydra's words to a plan, and what cannot be searched."""

import shutil
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from pipeline.compose import compose_incomplete, typed
from pipeline.config import SweepConfig
from pipeline.config.sweep import PrunerConfig
from pipeline.errors import ConfigError
from pipeline.layout import Layout
from pipeline.search.plan import Plan
from pipeline.sweeping.planning import make_plan, num_threads
from tests.clones import ROOT

SEARCH = ["experiment=linear_line", "sweep=linear"]
MINE = """# @package _global_
defaults:
  - override /hydra/sweeper: search
  - override /model: mlp

model:
  layers: [4]
trainer:
  epochs: 50
  batch_size: 3
  callbacks: {reduce_on_plateau: {factor: 0.5}}
sweep:
  space: {trainer.optimizer.learning_rate: 'interval(0.1, 1)'}
"""


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """The sources and configuration of this checkout, with runs of its own."""
    for name in ("conf", "src", "params.yaml", "dvc.yaml", "requirements.lock"):
        (tmp_path / name).symlink_to(ROOT / name)
    return Layout(tmp_path)


def plan_of(layout: Layout, *arguments: str) -> Plan:
    settings = [argument for argument in arguments if argument.startswith("sweep")]
    one = [argument for argument in arguments if argument.startswith("experiment=") and "," not in argument]
    composed = compose_incomplete(layout, [*(one or ["experiment=linear_line"])[-1:], *settings])
    node = OmegaConf.merge(OmegaConf.structured(SweepConfig), composed["sweep"])
    return make_plan(layout, typed(node, "sweep"), list(arguments))


def test_the_command_line_adds_to_the_space_and_fixes_keys_of_it(layout: Layout) -> None:
    plan = plan_of(layout, *SEARCH, "trainer.batch_size=8", "seed=1,2", "model.l2=interval(0,1)")
    assert plan.settings.space == {
        "trainer.optimizer.learning_rate": "tag(log, interval(1e-3, 1))",
        "model.l2": "interval(0,1)",
        "seed": "1,2",
    }
    assert plan.overrides == ("experiment=linear_line", "trainer.batch_size=8")
    assert plan.settings.objectives == ["val_loss"]
    assert plan.directions == ("minimize",)
    assert num_threads(plan, layout) == 2
    assert num_threads(plan_of(layout, "sweep=families", "trainer.threads=1"), layout) == 1


def test_the_same_command_gets_the_same_name_and_another_space_another(layout: Layout) -> None:
    name = plan_of(layout, *SEARCH).name
    assert name.startswith("linear_line-")
    assert plan_of(layout, *SEARCH, "sweep.trials=99", "sweep.workers=4", "sweep.keep=0").name == name
    assert plan_of(layout, *SEARCH, "sweep.seed=2").name != name
    assert plan_of(layout, *SEARCH, "trainer.epochs=7").name != name


def test_a_search_over_experiments_depends_on_the_code_of_each(layout: Layout) -> None:
    both = plan_of(layout, "sweep=linear", "experiment=linear_line,linear_diabetes", "seed=1")
    assert both.experiment == "linear_diabetes,linear_line"
    assert both.overrides == ("seed=1",)
    assert both.code not in {plan_of(layout, *SEARCH).code, plan_of(layout, *SEARCH, "experiment=linear_diabetes").code}


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["model.l3=interval(0,1)"], "'l3' is not a field of linear (family, l2)."),
        (["model.l2=interval(1,0)"], "sweep.space.model.l2: found 'interval(1,0)', expected the lower end first"),
        (["trainer.batch_size=choice(8,-1)"], "trainer.batch_size: found -1, expected 1 or more."),
        (
            ["trainer.batch_size=interval(8,16)"],
            "sweep.space.trainer.batch_size: an interval is of fractions",
        ),
        (["trainer.batch_size=tag(log,interval(8,16))"], "sweep.space.trainer.batch_size: an interval is of fractions"),
        (["sweep.objectives=[val_acuracy]"], "sweep.objectives: 'val_acuracy' is unknown"),
        (["sweep.constraints=['params <= 5']"], "sweep.constraints: 'params' is unknown"),
        (["sweep.trials=0"], "sweep.trials: found 0, expected 1 or more."),
        (["sweep.sampler.name=tpee"], "sweep.sampler.name: 'tpee' is unknown"),
        (["sweep.objectives=[val_loss,val_r2]", "sweep.pruner.name=median"], "sweep.pruner"),
        (
            ["sweep.objectives=[val_r2]", "sweep.pruner.name=median"],
            "sweep.objectives with a pruner: 'val_r2' is unkno",
        ),
        (["sweep.sampler.name=grid"], "sweep.space.trainer.optimizer.learning_rate: an interval has no end of values"),
        (["trainer.threads=1,2"], "trainer.threads: found 1, 2, but a search has one value"),
        (["trainer.batch_size=choice(8,-1,16)"], "trainer.batch_size: found -1, expected 1 or more."),
        (["sweep.name=a/b"], "sweep.name: found 'a/b', expected a name without a folder."),
        (["sweep.constraints=['parameters <= nan']"], "sweep.constraints: found 'parameters <= nan', expected such as"),
        (["output=here"], "output: found 'here', expected none in a sweep"),
        (["dataset=digits,breast_cancer"], "model linear answers regression, but dataset digits asks for multiclass."),
    ],
)
def test_what_cannot_be_searched_is_refused(layout: Layout, arguments: list[str], error: str) -> None:
    with pytest.raises(ConfigError) as refused:
        plan_of(layout, *SEARCH, *arguments)
    assert str(refused.value).startswith(error)
    assert not layout.sweeps.exists()


@pytest.mark.parametrize("name", ["linear", "logistic", "cnn", "rnn", "mlp"])
def test_what_is_shipped_can_be_searched(layout: Layout, name: str) -> None:
    experiment = {"linear": "linear_diabetes", "mlp": "mlp_breast_cancer"}.get(name, f"{name}_digits")
    plan = plan_of(layout, f"experiment={experiment}", f"sweep={name}")
    assert plan.name == plan_of(layout, f"experiment={experiment}", f"sweep={name}").name


def test_what_a_file_sets_beside_the_search_is_set_in_all_trials(layout: Layout) -> None:
    """What the command sets counts more."""
    layout.conf.unlink()
    shutil.copytree(ROOT / "conf", layout.conf)
    (layout.conf / "sweep" / "mine.yaml").write_text(MINE)
    fixed = ("experiment=linear_line", "trainer.batch_size=2")
    plan = plan_of(layout, *fixed, "sweep=mine")
    callback = "++trainer.callbacks.reduce_on_plateau={factor:0.5}"
    assert plan.overrides == (*fixed, "model=mlp", "model.layers=[4]", "trainer.epochs=50", callback)


def test_another_sampler_or_pruner_does_not_get_the_options_of_the_file(layout: Layout) -> None:
    cnn, mlp = ["experiment=cnn_digits", "sweep=cnn"], ["experiment=mlp_breast_cancer", "sweep=mlp"]
    assert plan_of(layout, "experiment=cnn_digits,cnn_splice", "sweep=cnn").settings.pruner.reduction == 8
    for arguments, expected in (
        ([*cnn, "sweep.pruner.name=median"], PrunerConfig("median")),
        ([*cnn, "sweep.pruner={name: median, warmup_epochs: 2}"], PrunerConfig("median", warmup_epochs=2)),
        (
            [*cnn, "sweep.pruner.name=hyperband", "sweep.pruner.max_epochs=20"],
            PrunerConfig("hyperband", min_epochs=2, max_epochs=20, reduction=8),
        ),
        ([*mlp, "sweep.pruner.name=halving"], PrunerConfig("halving")),
    ):
        assert plan_of(layout, *arguments).settings.pruner == expected
    with pytest.raises(ConfigError, match=r"^sweep\.pruner\.min_epochs=3: median does not read it; it reads warmup"):
        plan_of(layout, *cnn, "sweep.pruner.name=median", "sweep.pruner.min_epochs=3")


def test_the_shipped_search_over_families(layout: Layout) -> None:
    plan = plan_of(layout, "sweep=families")
    assert plan.experiment == "cnn_digits,logistic_digits,rnn_digits"
    assert plan.total == 6


def test_a_fixed_key_decides_whether_those_that_depend_on_it_are_searched(layout: Layout) -> None:
    mlp = ["experiment=mlp_breast_cancer", "sweep=mlp"]
    momentum = "trainer.optimizer.momentum"
    assert plan_of(layout, *mlp, "trainer.optimizer.name=sgd").settings.space[momentum] == "interval(0, 0.99)"
    assert momentum not in plan_of(layout, *mlp, "trainer.optimizer.name=adam").settings.space
    assert plan_of(layout, *mlp).settings.space[momentum]["when"] == {"trainer.optimizer.name": "sgd"}


def test_what_is_right_only_with_a_searched_value(layout: Layout) -> None:
    """The experiment has adam, which has no momentum."""
    searched = ["trainer.optimizer.name=choice(sgd)", "trainer.optimizer.momentum=0.9"]
    assert searched[1] in plan_of(layout, "experiment=cnn_digits", "sweep=linear", *searched).overrides


def test_another_configuration_is_another_search_under_the_same_name(layout: Layout) -> None:
    before = plan_of(layout, *SEARCH)
    text = layout.params.read_text()
    layout.params.unlink()
    layout.params.write_text(text.replace("seed: 1", "seed: 2", 1))
    after = plan_of(layout, *SEARCH)
    assert after.name == before.name
    assert after.code != before.code
    with pytest.raises(ConfigError, match="begun with other configuration"):
        before.check_same(after)
