"""What a person sees of a store in MLflow's pages: where to look, each experiment's question, the score as a column.

MLflow 3 opens in its view for language models, in which no training run is in sight, unless the address says otherwise.
Its table of runs shows no metric unless a shared view, which is an experiment's tag, says so.
"""

import json
from urllib.parse import quote

from mlflow.entities import Experiment

from pipeline.layout import Layout
from pipeline.tracking.store import Store

SCORE, INTERVAL, METRIC = "score", "interval", "metric"  # of a run: a metric and two tags
VIEW = "score"
VIEW_TAG = f"mlflow.sharedViewState.{VIEW}"
NOTE_TAG, NOTED_TAG = "mlflow.note.content", "pipeline.question"
COLUMNS = [f"metrics.`{SCORE}`", f"tags.`{INTERVAL}`", f"tags.`{METRIC}`", "attributes.Source"]
TRAINING = "workflowType=machine_learning"


def addresses(base: str, experiments: list[str]) -> dict[str, str]:
    """Where to look in MLflow at `base`, by name, the first one first; `experiments` are ids."""
    found = {}
    if experiments:
        chosen = quote(json.dumps(experiments, separators=(",", ":")))
        shared = f"{TRAINING}&viewStateShareKey={VIEW}"
        found["runs of all experiments"] = f"{base}/#/compare-experiments/s?experiments={chosen}&{shared}"
    found["experiments"] = f"{base}/#/experiments?{TRAINING}"
    found["registered models"] = f"{base}/#/models?{TRAINING}"
    return found


def shown_experiments(store: Store) -> list[str]:
    """The ids of the experiments that have a view of ours."""
    with store.guard():
        return [found.experiment_id for found in store.client.search_experiments() if VIEW_TAG in found.tags]


def describe(store: Store, experiment: str) -> Experiment:
    """An experiment with its view and, unless somebody has written another description, its file's question."""
    found = store.experiment(experiment)
    question = question_of(store.layout, experiment)
    wanted = {VIEW_TAG: view()}
    if found.tags.get(NOTE_TAG) == found.tags.get(NOTED_TAG):
        wanted |= {NOTE_TAG: question, NOTED_TAG: question} if question else {}
    for key, value in wanted.items():
        if found.tags.get(key) != value:
            store.client.set_experiment_tag(found.experiment_id, key, value)
    return found


def view() -> str:
    """The state of MLflow's table of runs: scores in sight, the newest run first."""
    state = {
        "selectedColumns": COLUMNS,
        "searchFilter": "",
        "orderByKey": "attributes.start_time",
        "orderByAsc": False,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "modelVersionFilter": "All Runs",
        "datasetsFilter": [],
    }
    return json.dumps(state)


def question_of(layout: Layout, experiment: str) -> str:
    """The comment at the top of an experiment's file."""
    path = layout.conf / "experiment" / f"{experiment}.yaml"
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        if not line.startswith("#"):
            break
        if not line.startswith("# @package"):
            lines.append(line.removeprefix("#").removeprefix(" "))
    return "\n".join(lines)
