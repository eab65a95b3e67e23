"""`python -m pipeline.train -m experiment=... sweep=...`: begin a search or go on with it, and tell how it ended."""

from typing import TYPE_CHECKING

from omegaconf import DictConfig

from pipeline.compose import typed
from pipeline.errors import ConfigError
from pipeline.layout import Layout
from pipeline.sweeping.planning import make_plan
from pipeline.tracking.sweep import Sweep, command_given

if TYPE_CHECKING:
    from pipeline.search.study import Study


def search(composed: DictConfig, arguments: list[str]) -> None:
    """Run the search that Hydra has composed from conf/sweep/ and these arguments, until it has all its trials.

    Raises ConfigError before any trial starts where it cannot be run, and at the end where trials have failed that
    should not.
    """
    from pipeline.search.study import Study
    from pipeline.sweeping.ending import end, tell_so_far
    from pipeline.sweeping.workers import check_place, run_workers

    launcher = composed.hydra.runtime.choices["hydra/launcher"]
    if launcher != "basic":
        raise ConfigError(f"hydra/launcher={launcher} is for grids. A search has its own workers: sweep.workers=4.")
    layout = Layout.find()
    settings = typed(composed.sweep, "sweep")
    check_place(settings)
    plan = make_plan(layout, settings, arguments)
    study = Study.create_or_open(plan, layout)
    if settings.retry:
        print(f"failed trials that are tried again: {len(study.retry())}")
    note(study, layout)
    print(f"sweep {plan.name}: {study.total} trials, sampler {plan.settings.sampler.name}, {plan.settings.mode}")
    try:
        run_workers(study, layout)
    except (KeyboardInterrupt, ConfigError):
        tell_so_far(study, layout)
        raise
    end(study, layout)


def note(study: "Study", layout: Layout) -> None:
    """Keep with the sweep's records what was asked, for MLflow, the page and `adopt`, whether it has ended, and which
    study has it."""
    plan = study.plan
    space = {key: values if isinstance(values, str) else str(values) for key, values in plan.settings.space.items()}
    # Of several experiments the first one: all machines must show the sweep in the same place.
    experiment = plan.experiment.split(",")[0]
    Sweep(command_given(), experiment, space, study.done, study.token).save(layout.sweep(plan.name))
