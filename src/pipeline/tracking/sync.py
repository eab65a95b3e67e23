"""Carry the journal of a run to MLflow. A sync may run any number of times; no point appears twice."""

from pathlib import Path

from mlflow.entities import Metric, Param, Run
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NAME, MLFLOW_SOURCE_NAME, MLFLOW_SOURCE_TYPE

from pipeline import locks
from pipeline.errors import ArtifactError
from pipeline.layout import JOURNAL, LOCK, PAGE
from pipeline.tracking import names
from pipeline.tracking.delivered import SYNCED_TAG, has_finished_elsewhere, journal_version, note_delivery
from pipeline.tracking.journal import KILLED, PRUNED, Reader, Record, status
from pipeline.tracking.runs import IDENTITY_TAG, find_run, tags_of
from pipeline.tracking.store import Store
from pipeline.tracking.views import describe

BATCH = 1000  # MLflow takes at most 1,000 metrics a call
PARAM_BATCH = 100
RUNNING = "RUNNING"
PRUNED_TAG = "pipeline.pruned"
DATASET = "dataset"  # the folder of a run's artifacts that has the page of its dataset


class RunSync:
    """Carries one journal to MLflow. It remembers what it has delivered, so that following a live run stays cheap."""

    def __init__(self, store: Store, folder: Path) -> None:
        self._store, self._folder = store, folder
        self._reader, self._records = Reader(folder / JOURNAL), list[Record]()
        self._run_id: str | None = None
        self._sent = 0
        self._status: str | None = None
        self._known: set[tuple[str, int]] = set()
        # by how the run ended here, or has not: the id of the run that has finished elsewhere
        self._elsewhere: dict[str, str] = {}

    def deliver(self) -> str | None:
        """Bring MLflow up to date and return the run's id, or None while the journal holds no start. Raises
        TrackingError."""
        self._records += self._reader.more()
        records = self._records
        if self._run_id is None and not any(record["type"] == "start" for record in records):
            return None
        ended = self._status_of(records)
        if ended in self._elsewhere:
            return self._elsewhere[ended]
        if self._run_id is not None and (len(records), ended) == (self._sent, self._status):
            return self._run_id
        what, lock = f"the sync of {self._folder.name}", self._folder / "sync.lock"
        with self._store.guard(), locks.hold(lock, what, self._store.gives_way):
            return self._deliver(records, ended)

    def _status_of(self, records: list[Record]) -> str:
        """How the run ended. A run whose journal has no end is still running while its lock is held; otherwise it was
        killed."""
        if (ended := status(records)) is not None:
            return ended
        return RUNNING if locks.held(self._folder / LOCK) else KILLED

    def _deliver(self, records: list[Record], ended: str) -> str:
        start = [record for record in records if record["type"] == "start"][-1]
        client = self._store.client
        if self._run_id is None:
            run = find_run(self._store, start["experiment"], start["identity"]) or self._create(records[0], start)
            if has_finished_elsewhere(run, ended):
                return self._elsewhere.setdefault(ended, run.info.run_id)
            self._run_id = run.info.run_id
            if run.data.tags.get(SYNCED_TAG) == journal_version(records):
                self._sent, self._status = len(records), ended
                return self._run_id
            self._begin(run, start)
        elif ended != self._status and has_finished_elsewhere(client.get_run(self._run_id), ended):
            return self._elsewhere.setdefault(ended, self._run_id)
        new = records[self._sent :]
        self._log_metrics(self._run_id, new)
        tags = {key: value for record in new for key, value in record.get("tags", {}).items()}
        if ended == RUNNING:
            if self._status != RUNNING:
                client.update_run(self._run_id, RUNNING)
        else:
            if (page := self._folder / PAGE).is_file():
                client.log_artifact(self._run_id, str(page), DATASET)
            # MLflow has no status for what was pruned.
            client.set_terminated(self._run_id, KILLED if ended == PRUNED else ended, records[-1]["time"])
            tags |= {SYNCED_TAG: journal_version(records), **self._pruned(start, records, ended)}
        if tags:
            client.log_batch(self._run_id, tags=tags_of(tags))
        if ended != RUNNING:
            note_delivery(self._store, self._folder)
        self._sent, self._status = len(records), ended
        return self._run_id

    def _log_metrics(self, run_id: str, records: list[Record]) -> None:
        metrics = [
            Metric(name, value, record["time"], record["epoch"])
            for record in records
            if record["type"] == "metrics"
            for name, value in record["values"].items()
            if (name, record["epoch"]) not in self._known
        ]
        for i in range(0, len(metrics), BATCH):
            self._store.client.log_batch(run_id, metrics=metrics[i : i + BATCH])

    def _pruned(self, start: Record, records: list[Record], ended: str) -> dict[str, str]:
        """The tag that says that a search has ended the run early, or that it did so before the run went on."""
        done = max((record["epoch"] for record in records if record["type"] == "metrics"), default=0)
        if ended == PRUNED:
            return {PRUNED_TAG: f"after epoch {done} of {start['params'].get('trainer.epochs', 'more')}"}
        before = any(record.get("status") == PRUNED for record in records)
        return {PRUNED_TAG: f"no longer, it went on to epoch {done}"} if before else {}

    def _begin(self, run: Run, start: Record) -> None:
        """Note which points the store has, and add the parameters that it lacks.

        MLflow drops a repeated point only where its time stamp is the same. A journal that was written anew (because
        runs/ was deleted, or by another clone on the same server) has other time stamps, but its epochs must not appear
        twice.
        """
        client = self._store.client
        for name in run.data.metrics:
            self._known |= {(name, point.step) for point in client.get_metric_history(run.info.run_id, name)}
        known = run.data.params
        named = {names.key(key): names.cut(str(value), names.PARAM_LENGTH) for key, value in start["params"].items()}
        params = [Param(key, value) for key, value in named.items() if key not in known]
        for i in range(0, len(params), PARAM_BATCH):
            client.log_batch(run.info.run_id, params=params[i : i + PARAM_BATCH])

    def _create(self, first: Record, start: Record) -> Run:
        tags = {
            **start["tags"],
            IDENTITY_TAG: start["identity"],
            MLFLOW_RUN_NAME: start["identity"],
            MLFLOW_SOURCE_NAME: "pipeline.train",
            MLFLOW_SOURCE_TYPE: "LOCAL",
        }
        place = describe(self._store, start["experiment"]).experiment_id
        whole = {tag.key: tag.value for tag in tags_of(tags)}
        return self._store.client.create_run(place, start_time=first["time"], tags=whole)


def sync(store: Store, folder: Path) -> str:
    """Deliver the whole journal in a run's folder, and return the MLflow run's id."""
    run_id = RunSync(store, folder).deliver()
    if run_id is None:
        raise ArtifactError(f"{folder / JOURNAL}: no start of a run in it. Move the folder away and run: make repro")
    return run_id
