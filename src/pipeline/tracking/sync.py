"""Carry journals to MLflow: one run for each identity. A sync may run any number of times; no point appears twice."""

from collections.abc import Iterator
from pathlib import Path

from mlflow.entities import LifecycleStage, Metric, Param, Run, RunTag, ViewType
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NAME, MLFLOW_SOURCE_NAME, MLFLOW_SOURCE_TYPE

from pipeline import locks
from pipeline.errors import ArtifactError, PipelineError, RefusedError
from pipeline.files import digest_value, write_text
from pipeline.layout import JOURNAL, LOCK, PAGE
from pipeline.tracking import names
from pipeline.tracking.journal import FINISHED, KILLED, PRUNED, Reader, Record, read, status
from pipeline.tracking.store import Store
from pipeline.tracking.views import describe

IDENTITY_TAG = "pipeline.identity"
SYNCED_TAG = "pipeline.synced"
BATCH = 1000  # MLflow takes at most 1,000 metrics a call
PARAM_BATCH = 100
RUNNING = "RUNNING"
PRUNED_TAG = "pipeline.pruned"
DATASET = "dataset"  # the folder of a run's artifacts that has the page of its dataset
DELIVERED = "delivered"  # a file that names the stores that have had a run or sweep, one on each line


def journal_version(records: list[Record]) -> str:
    """The value that the store notes when it has a journal completely. A journal that is longer, or was written anew,
    has another version."""
    return f"{len(records)} {digest_value(records)[:12]}"


def find_run(store: Store, experiment: str, identity: str) -> Run | None:
    """The MLflow run of this identity, or None where there is none."""
    found = find_runs(store, experiment, identity)
    return found[0] if found else None


def find_runs(store: Store, experiment: str, identity: str) -> list[Run]:
    """The MLflow runs of this identity, the oldest first. There are several where two machines have created one at the
    same time."""
    place = store.experiment(experiment).experiment_id
    found = store.client.search_runs([place], f"tags.`{IDENTITY_TAG}` = '{identity}'")
    return sorted(found, key=lambda run: (run.info.start_time, run.info.run_id))


class RunSync:
    """Carries one journal to MLflow. It remembers what it has delivered, so that following a live run stays cheap."""

    def __init__(self, store: Store, folder: Path) -> None:
        self._store, self._folder = store, folder
        self._reader, self._records = Reader(folder / JOURNAL), list[Record]()
        self._run_id: str | None = None
        self._sent = 0
        self._status: str | None = None
        self._known: set[tuple[str, int]] = set()
        self.experiment = ""  # known with the first delivery

    def deliver(self) -> str | None:
        """Bring MLflow up to date and return the run's id, or None while the journal holds no start. Raises
        TrackingError."""
        self._records += self._reader.more()
        records = self._records
        if self._run_id is None and not any(record["type"] == "start" for record in records):
            return None
        ended = self._status_of(records)
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
        self.experiment = start["experiment"]
        client = self._store.client
        if self._run_id is None:
            run = find_run(self._store, start["experiment"], start["identity"]) or self._create(records[0], start)
            if has_finished_elsewhere(run, ended):
                return str(run.info.run_id)
            self._run_id = run.info.run_id
            if run.data.tags.get(SYNCED_TAG) == journal_version(records):
                self._sent, self._status = len(records), ended
                return self._run_id
            self._begin(run, start)
        elif ended != self._status and has_finished_elsewhere(client.get_run(self._run_id), ended):
            self._sent, self._status = len(records), ended
            return self._run_id
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


def has_finished_elsewhere(run: Run, ended: str) -> bool:
    """Whether the store has a run as finished whose journal here `ended` in another way, or has not. Another checkout
    has then trained it to its end, and the journal here has nothing to add."""
    return run.info.status == FINISHED and ended != FINISHED


def tags_of(tags: dict[str, str]) -> list[RunTag]:
    return [RunTag(names.key(key), names.cut(value, names.TAG_LENGTH)) for key, value in tags.items()]


def sync(store: Store, folder: Path) -> str:
    """Deliver the whole journal in a run's folder, and return the MLflow run's id."""
    run_id = RunSync(store, folder).deliver()
    if run_id is None:
        raise ArtifactError(f"{folder / JOURNAL}: no start of a run in it. Move the folder away and run: make repro")
    return run_id


def sync_all(store: Store) -> tuple[int, list[PipelineError]]:
    """Deliver every ended journal under runs/ that the store does not have completely. Returns how many were delivered,
    and the errors of those that were not. A run that a user has deleted in MLflow stays deleted, even after
    `mlflow gc`."""
    journals: dict[str, dict[str, tuple[str, str]]] = {}  # by experiment and identity: its version, and how it ended
    for path in sorted(store.layout.runs.glob(f"*/{JOURNAL}")):
        records = read(path)
        start = next((record for record in records if record["type"] == "start"), None)
        if start is not None and not locks.held(path.parent / LOCK):
            about = journal_version(records), status(records) or KILLED
            journals.setdefault(start["experiment"], {})[path.parent.name] = about
    delivered, errors = 0, list[PipelineError]()
    for experiment, found in journals.items():
        try:
            with store.guard():
                known = known_runs(store, experiment)
        except RefusedError as error:
            errors.append(error)
            continue
        for identity, (whole, ended) in found.items():
            folder, run = store.layout.run(identity), (known or {}).get(identity)
            if not is_wanted(store, known, identity, whole, folder) or (run and has_finished_elsewhere(run, ended)):
                continue
            try:
                sync(store, folder)
                delivered += 1
            except (ArtifactError, RefusedError) as error:
                errors.append(error)
    return delivered, errors


def is_wanted(store: Store, known: dict[str, Run] | None, identity: str, whole: str, folder: Path) -> bool:
    """Whether to deliver the run of this identity, in `folder`, to a store whose runs of the experiment are `known`.
    `whole` is the version of its complete journal."""
    if known is None or (identity not in known and was_delivered(store, folder)):
        return False  # a user has deleted it, and `mlflow gc` may have removed it for good
    run = known.get(identity)
    return run is None or (run.info.lifecycle_stage == LifecycleStage.ACTIVE and run.data.tags.get(SYNCED_TAG) != whole)


def note_delivery(store: Store, folder: Path) -> None:
    """Note in the folder of a run or sweep that this very store has had it."""
    path = folder / DELIVERED
    if not was_delivered(store, folder):
        write_text(path, (path.read_text(encoding="utf-8") if path.is_file() else "") + f"{store.birth}\n")


def was_delivered(store: Store, folder: Path) -> bool:
    path = folder / DELIVERED
    return path.is_file() and store.birth in path.read_text(encoding="utf-8").split()


def known_runs(store: Store, experiment: str) -> dict[str, Run] | None:
    """The run of each identity that the store has, a deleted one only where no other is there. None for a deleted
    experiment."""
    place = store.client.get_experiment_by_name(experiment)
    if place is None:
        return {}
    if place.lifecycle_stage == LifecycleStage.DELETED:
        return None
    known: dict[str, Run] = {}
    for run in _all_runs(store, place.experiment_id, ViewType.ALL):
        identity, gone = run.data.tags.get(IDENTITY_TAG, ""), run.info.lifecycle_stage == LifecycleStage.DELETED
        if not gone or identity not in known:
            known[identity] = run
    return known


def active_runs(store: Store, experiment: str) -> Iterator[Run]:
    """The runs of an experiment that were not deleted."""
    return _all_runs(store, store.experiment(experiment).experiment_id, ViewType.ACTIVE_ONLY)


def _all_runs(store: Store, experiment_id: str, kind: int) -> Iterator[Run]:
    token = None
    while True:
        page = store.client.search_runs([experiment_id], run_view_type=kind, page_token=token)
        yield from page
        if not (token := page.token):
            return
