"""Make a run's journal anew from DVC's outputs, where these came by `dvc pull` or from the run cache."""

from pathlib import Path

import yaml

from pipeline import locks
from pipeline.data.history import read_history
from pipeline.identity import Identity
from pipeline.layout import HISTORY, JOURNAL, LOCK, Layout
from pipeline.tracking.dataset_page import keep_page
from pipeline.tracking.facts import run_params, run_tags
from pipeline.tracking.journal import FINISHED, Journal, read, status
from pipeline.tracking.runs import find_run
from pipeline.tracking.store import Store
from pipeline.tracking.sync import sync


def ensure_run(store: Store, experiment: str, identity: Identity) -> str:
    """The id of the MLflow run of this identity, after bringing it up to date.

    The run comes from its journal. Without a finished journal, it is the run that the store already has, if somebody
    else has reported it there; otherwise the journal is made anew from the outputs.
    """
    layout, name = store.layout, str(identity["identity"])
    folder = layout.run(name)
    if status(read(folder / JOURNAL)) != FINISHED and not locks.held(folder / LOCK):
        with store.guard():
            found = find_run(store, experiment, name)
        if found is not None and found.info.status == FINISHED:
            return str(found.info.run_id)
        ensure_journal(layout, experiment, identity)
    return sync(store, folder)


def ensure_journal(layout: Layout, experiment: str, identity: Identity) -> Path:
    """Complete the run's journal and return the run's folder. Points that the journal already holds keep their time
    stamps."""
    folder = layout.run(str(identity["identity"]))
    path = folder / JOURNAL
    if status(read(path)) == FINISHED:
        return folder
    values = yaml.safe_load(layout.resolved_experiment(experiment).read_text(encoding="utf-8"))
    journal = Journal(path)
    # The run was trained elsewhere; do not record this machine's facts.
    tags = {key: value for key, value in run_tags(identity, layout.root).items() if key.startswith("pipeline.")}
    tags["pipeline.rebuilt"] = "true"
    dataset = str(identity["dataset"])
    keep_page(layout, dataset, layout.prepared(dataset), folder)
    journal.start(str(identity["identity"]), experiment, run_params(values), tags)
    for row in read_history(layout.trained(experiment) / HISTORY):
        journal.metrics(int(row.pop("epoch")), row)
    journal.end(FINISHED)
    return folder
