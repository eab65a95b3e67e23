"""A run's journal made anew from DVC's outputs, where they came by `dvc pull` or the run cache."""

from pathlib import Path
from typing import Any

import yaml

from pipeline.layout import HISTORY, JOURNAL, Layout
from pipeline.tracking.facts import flatten, run_tags
from pipeline.tracking.journal import FINISHED, Journal, read, status
from pipeline.tracking.sync import epoch_rows


def ensure_journal(layout: Layout, experiment: str, identity: dict[str, Any]) -> Path:
    """The run's folder, its journal complete. Points that a journal already holds keep their time stamps."""
    folder = layout.run(str(identity["identity"]))
    path = folder / JOURNAL
    if status(read(path)) == FINISHED:
        return folder
    values = yaml.safe_load(layout.resolved_experiment(experiment).read_text(encoding="utf-8"))
    params = flatten({key: value for key, value in values.items() if key not in ("name", "output")})
    journal = Journal(path)
    tags = run_tags(identity, layout.root) | {"pipeline.rebuilt": "true"}
    journal.start(str(identity["identity"]), experiment, params, tags)
    for row in epoch_rows(layout.trained(experiment) / HISTORY):
        journal.metrics(int(row.pop("epoch")), row)
    journal.end(FINISHED)
    return folder
