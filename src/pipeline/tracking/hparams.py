"""TensorBoard's HParams page over all runs: the parameters in which they differ, then the validation scores of the
epochs whose weights are kept, those among them that an experiment or a search makes best.

Without this, the page has a column for every parameter, and the scores stand behind forty columns that are equal in
all runs.
"""

import itertools
import json

from pipeline.layout import JOB, JOURNAL, TENSORBOARD, Layout
from pipeline.tasks import TASKS
from pipeline.tracking.journal import Record, read_start
from pipeline.tracking.tensorboard import HPARAMS, KEPT, VALIDATION_PREFIX, write_summary

FILE = "events.out.tfevents.0.columns"


def write_columns(layout: Layout, identity: str) -> None:
    """Write runs/hparams/, which TensorBoard reads together with the runs. Called when this identity's training starts;
    TensorBoard shows the result when it is opened or reloaded."""
    from tensorboard.plugins.hparams import api

    shown = {path.parents[1].name for path in layout.runs.glob(f"*/{TENSORBOARD}/{HPARAMS}")} | {identity}
    starts = [start for name in sorted(shown) if (start := read_start(layout.run(name) / JOURNAL)) is not None]
    differing, measured = differing_params(starts)
    scores = sorted(measured | searched(layout), key=lambda name: (name == "loss", name))
    metrics = [api.Metric(name, group=KEPT, display_name=f"{VALIDATION_PREFIX}{name}") for name in scores]
    summary = api.hparams_config_pb([api.HParam(name) for name in differing], metrics)
    write_summary(layout.runs / "hparams" / FILE, summary)


def differing_params(starts: list[Record]) -> tuple[list[str], set[str]]:
    """From the first record of each run's journal: the parameters whose values are not the same in all runs, and the
    names of what the runs measure."""
    names = dict.fromkeys(name for start in starts for name in start["params"])
    differing = [name for name in names if len({str(start["params"].get(name)) for start in starts}) > 1]
    tasks = {str(start["params"].get("dataset.task")) for start in starts}
    named = {str(start["params"].get("objective")) for start in starts}
    objectives = {name.removeprefix(VALIDATION_PREFIX) for name in named if name.startswith(VALIDATION_PREFIX)}
    return differing, {"loss"} | objectives | {TASKS[name].training_metric for name in tasks if name in TASKS}


def searched(layout: Layout) -> set[str]:
    """The names of the scores that the searches in runs/sweeps/ make best, as their trials' records have them. A trial
    has a record before its training starts."""
    found = set[str]()
    for folder in layout.sweeps.glob("*"):
        for path in itertools.islice(folder.glob(f"*/{JOB}"), 1):  # all records of a search have the same ones
            try:
                found |= set(json.loads(path.read_text(encoding="utf-8"))["objectives"])
            except (OSError, ValueError, KeyError, TypeError):
                continue  # who shows or resumes the sweep is told that it is damaged
    return {name.removeprefix(VALIDATION_PREFIX) for name in found if name.startswith(VALIDATION_PREFIX)}
