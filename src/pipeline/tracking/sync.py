"""Journals to MLflow: one run for each identity, any number of times, no point twice."""

from pathlib import Path
from typing import Any

from mlflow.entities import Metric, Param, Run, RunTag
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NAME, MLFLOW_SOURCE_NAME, MLFLOW_SOURCE_TYPE

from pipeline import locks
from pipeline.errors import ArtifactError
from pipeline.layout import JOURNAL
from pipeline.tracking.journal import Record, read, status
from pipeline.tracking.store import Store

IDENTITY_TAG = "pipeline.identity"
SYNCED_TAG = "pipeline.synced"
BATCH = 1000  # MLflow takes at most 1,000 metrics a call
PARAM_BATCH = 100


def find_run(store: Store, experiment: str, identity: str) -> Run | None:
    """The MLflow run of this identity."""
    place = store.experiment(experiment).experiment_id
    found = store.client.search_runs([place], f"tags.`{IDENTITY_TAG}` = '{identity}'", max_results=1)
    return found[0] if found else None


class RunSync:
    """Carries one journal; remembers what it has delivered, so that following a live run stays cheap."""

    def __init__(self, store: Store, folder: Path) -> None:
        self._store, self._folder = store, folder
        self._run_id: str | None = None
        self._sent = 0

    def deliver(self) -> str | None:
        """Bring MLflow up to date; return the run's id, or None while nothing is journaled. Raises TrackingError."""
        records = read(self._folder / JOURNAL)
        if not any(record["type"] == "start" for record in records):
            return None
        if self._run_id is not None and len(records) == self._sent:
            return self._run_id
        with self._store.guard(), locks.hold(self._folder / "sync.lock", f"the sync of {self._folder.name}"):
            return self._deliver(records)

    def _deliver(self, records: list[Record]) -> str:
        start = [record for record in records if record["type"] == "start"][-1]
        client = self._store.client
        if self._run_id is None:
            run = find_run(self._store, start["experiment"], start["identity"]) or self._create(records[0], start)
            self._run_id = run.info.run_id
            if run.data.tags.get(SYNCED_TAG) == str(len(records)):
                self._sent = len(records)
                return self._run_id
            known = run.data.params
            params = [Param(key, str(value)) for key, value in start["params"].items() if key not in known]
            for i in range(0, len(params), PARAM_BATCH):
                client.log_batch(self._run_id, params=params[i : i + PARAM_BATCH])
        new = records[self._sent :]
        metrics = [
            Metric(name, value, record["time"], record["epoch"])
            for record in new
            if record["type"] == "metrics"
            for name, value in record["values"].items()
        ]
        for i in range(0, len(metrics), BATCH):
            client.log_batch(self._run_id, metrics=metrics[i : i + BATCH])
        tags = {key: value for record in new for key, value in record.get("tags", {}).items()}
        ended = status(records)
        if ended is not None:
            client.set_terminated(self._run_id, ended, records[-1]["time"])
            tags[SYNCED_TAG] = str(len(records))
        if tags:
            client.log_batch(self._run_id, tags=[RunTag(key, value) for key, value in tags.items()])
        self._sent = len(records)
        return self._run_id

    def _create(self, first: Record, start: Record) -> Run:
        tags = {
            **start["tags"],
            IDENTITY_TAG: start["identity"],
            MLFLOW_RUN_NAME: start["identity"],
            MLFLOW_SOURCE_NAME: "pipeline.train",
            MLFLOW_SOURCE_TYPE: "LOCAL",
        }
        place = self._store.experiment(start["experiment"]).experiment_id
        return self._store.client.create_run(place, start_time=first["time"], tags=tags)


def sync(store: Store, folder: Path) -> str:
    """Deliver the journal in a run's folder whole; return the MLflow run's id."""
    run_id = RunSync(store, folder).deliver()
    if run_id is None:
        raise ArtifactError(f"{folder / JOURNAL}: no start of a run in it. Move the folder away and run: make repro")
    return run_id


def epoch_rows(history: Path) -> list[dict[str, Any]]:
    """The rows of history.csv: {epoch, loss, ...} with numbers."""
    import csv

    try:
        with history.open(newline="", encoding="utf-8") as stream:
            rows = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(stream)]
    except FileNotFoundError as error:
        raise ArtifactError(f"{history}: not found. Run: dvc repro train@{history.parent.name}") from error
    except (ValueError, TypeError) as error:
        raise ArtifactError(f"{history}: damaged ({error}). Run: dvc repro -f train@{history.parent.name}") from error
    if not rows:
        raise ArtifactError(f"{history}: no epochs in it. Run: dvc repro -f train@{history.parent.name}")
    return rows
