"""What a person sees in MLflow's pages: the addresses, each experiment's question, and the score as a column.

MLflow 3 opens in its view for language models, which shows no training run, unless the address says otherwise. Its
table of runs shows no metric unless a shared view, which is a tag of the experiment, says so.
"""

import json
from urllib.parse import quote

from mlflow.entities import Experiment

from pipeline.layout import Layout
from pipeline.tracking.store import Store

SCORE, INTERVAL, METRIC = "score", "interval", "metric"  # the first is a metric of a run, the others are tags of it
VIEW = "score"
VIEW_TAG = f"mlflow.sharedViewState.{VIEW}"
NOTE_TAG, NOTED_TAG = "mlflow.note.content", "pipeline.question"
COLUMNS = [f"metrics.`{SCORE}`", f"tags.`{INTERVAL}`", f"tags.`{METRIC}`", "attributes.Source"]
TRAINING = "workflowType=machine_learning"


def addresses(base: str, experiments: list[str]) -> dict[str, str]:
    """The addresses to look at in MLflow at `base`, by name, the most useful one first. `experiments` holds ids."""
    found = {}
    if experiments:
        chosen = quote(json.dumps(experiments, separators=(",", ":")))
        shared = f"{TRAINING}&viewStateShareKey={VIEW}"
        found["runs of all experiments"] = f"{base}/#/compare-experiments/s?experiments={chosen}&{shared}"
    found["experiments"] = f"{base}/#/experiments?{TRAINING}"
    found["registered models"] = f"{base}/#/models?{TRAINING}"
    return found


def shown_experiments(store: Store) -> list[str]:
    """The ids of the experiments that have our shared view."""
    with store.guard():
        return [found.experiment_id for found in store.client.search_experiments() if VIEW_TAG in found.tags]


def describe(store: Store, experiment: str) -> Experiment:
    """Give an experiment its shared view and, unless somebody has written another description, the question of its
    file; return it."""
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
    """The state of MLflow's table of runs: it shows the scores, and the newest run comes first."""
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
