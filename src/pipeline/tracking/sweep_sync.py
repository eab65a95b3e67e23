"""Carry sweeps to MLflow: one parent run for each sweep, with the runs of its jobs below it.

The parent stands in the MLflow experiment that sweep.json names, which is the one that is searched. Of a sweep over a
choice of experiments (`experiment=a,b`) it is the first one that is named.
"""

from mlflow.entities import Run
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NAME

from pipeline import locks
from pipeline.files import digest_value
from pipeline.layout import JOURNAL, PAGE, PLOTS
from pipeline.tracking.delivered import SYNCED_TAG, journal_version, note_delivery
from pipeline.tracking.journal import read
from pipeline.tracking.runs import IDENTITY_TAG, active_runs, find_runs, tags_of
from pipeline.tracking.store import Store
from pipeline.tracking.sweep import read_jobs, read_sweep
from pipeline.tracking.sweep_facts import Point, params_of, points_of, tags_of_sweep
from pipeline.tracking.sweep_job import RUNNING, SweepJob
from pipeline.tracking.sweep_state import is_outdone, jobs_version, page_version, place_of, status_of
from pipeline.tracking.sync import BATCH, sync

NUMBER_TAG, PAGE_TAG = "pipeline.job", "pipeline.page"


class SweepSync:
    """Carries a sweep's own run to MLflow, and puts the runs of its jobs below it.

    It remembers what it has delivered, so that following a sweep stays cheap. Any number of processes may do so at
    once.
    """

    def __init__(self, store: Store, name: str) -> None:
        self._store, self._identity, self._folder = store, f"sweep-{name}", store.layout.sweep(name)
        self._lock = self._folder / "sync.lock"
        self._children: dict[str, tuple[str, str | None]] = {}  # by identity: its run's id, and that of its parent
        self._points: dict[tuple[str, int], float] | None = None
        self._sent = ""

    def follow(self, identity: str, run_id: str, parent: str | None = None) -> None:
        """The job with this identity has this run, which so far is below `parent`; `deliver` puts it in its place. A
        run that an earlier sweep has trained moves to the latest sweep."""
        self._children.setdefault(identity, (run_id, parent))

    def deliver(self, wait: bool = True) -> None:
        """Bring the sweep's run up to date, as soon as a job has begun. Where another process is about it, `wait` for
        that, or leave it for the next call. Raises TrackingError."""
        jobs, ended = self._look()
        if not jobs or self._state(jobs, ended) == self._sent or (locks.held(self._lock) and not wait):
            return
        with self._store.guard(), locks.hold(self._lock, f"the sync of {self._identity}", self._store.gives_way):
            jobs, ended = self._look()  # again, as others have gone on while this process waited for the lock
            state = self._state(jobs, ended)
            run = self._parent(jobs)
            self._adopt(run, jobs)
            if not is_outdone(run, jobs, ended):
                self._describe(run, jobs, ended)
            if ended != RUNNING:
                note_delivery(self._store, self._folder)
        self._sent = state

    def _look(self) -> tuple[list[SweepJob], str]:
        """The jobs that have begun, and how the sweep has ended."""
        jobs = [job for job in read_jobs(self._folder) if job.experiment]
        return jobs, status_of(self._folder, jobs)

    def _state(self, jobs: list[SweepJob], ended: str) -> str:
        """Another value for whatever MLflow must be told."""
        statuses = [[job.number, job.status] for job in jobs]
        return digest_value([ended, page_version(self._folder), sorted(self._children), statuses])

    def _parent(self, jobs: list[SweepJob]) -> Run:
        """The sweep's run in MLflow, which is created where it is missing. Where two machines create it at the same
        time, both then take the older one, and the other is deleted."""
        experiment = place_of(self._folder, jobs)
        found = find_runs(self._store, experiment, self._identity)
        if not found:
            tags = {IDENTITY_TAG: self._identity, MLFLOW_RUN_NAME: self._identity}
            started = round(1000 * min(job.started for job in jobs)) or None
            self._store.client.create_run(self._store.experiment(experiment).experiment_id, started, tags)
            found = find_runs(self._store, experiment, self._identity)
        first, *others = found
        for other in others:
            self._store.client.delete_run(other.info.run_id)
        return first

    def _adopt(self, own: Run, jobs: list[SweepJob]) -> None:
        """Put the jobs' runs below the sweep's `own` run, but for those that a later sweep has found and taken: this
        process may deliver what is left of an earlier one."""
        parent = own.info.run_id
        numbers = {job.identity: job.number for job in sorted(jobs, key=lambda job: -job.number)}
        for identity, (run_id, known) in self._children.items():
            if known == parent or identity not in numbers:
                continue
            if not self._is_of_later(run_id, own):
                tags = {MLFLOW_PARENT_RUN_ID: parent, NUMBER_TAG: str(numbers[identity])}
                self._store.client.log_batch(run_id, tags=tags_of(tags))
            self._children[identity] = run_id, parent

    def _is_of_later(self, run_id: str, own: Run) -> bool:
        """Whether a run is below that of a sweep which began after this one."""
        above = self._store.client.get_run(run_id).data.tags.get(MLFLOW_PARENT_RUN_ID)
        if above in (None, own.info.run_id):
            return False
        other = self._store.client.get_run(above)
        later: bool = other.info.lifecycle_stage == "active" and other.info.start_time > own.info.start_time
        return later

    def _describe(self, run: Run, jobs: list[SweepJob], ended: str) -> None:
        """Note at the sweep's run what was swept, how its scores came about, which job is best and how it ended."""
        client, run_id = self._store.client, run.info.run_id
        points = list(points_of(self._folder, jobs, ended != RUNNING))
        metrics = [point.metric() for point in points if self._is_new(run, point)]
        for i in range(0, len(metrics), BATCH):
            client.log_batch(run_id, metrics[i : i + BATCH])
        sweep, page, tags = read_sweep(self._folder), page_version(self._folder), {}
        if page and run.data.tags.get(PAGE_TAG) != page:
            client.log_artifact(run_id, str(self._folder / PAGE))
            if (self._folder / PLOTS).is_dir():
                client.log_artifacts(run_id, str(self._folder / PLOTS), PLOTS)
            tags[PAGE_TAG] = page
        if ended == RUNNING:
            client.update_run(run_id, RUNNING)
        else:
            client.set_terminated(run_id, ended, max((point.time for point in points), default=None))
            tags[SYNCED_TAG] = jobs_version(self._folder, jobs)
        params = [param for param in params_of(sweep, jobs, ended != RUNNING) if param.key not in run.data.params]
        client.log_batch(run_id, (), params, tags_of(tags | tags_of_sweep(sweep, jobs)))

    def _is_new(self, run: Run, point: Point) -> bool:
        """Whether MLflow lacks this point. One that has another value there is told anew: a killed sweep that goes on
        may find a better score at a number that was passed over."""
        if self._points is None:
            history = self._store.client.get_metric_history
            known = [(key, p) for key in run.data.metrics for p in history(run.info.run_id, key)]
            self._points = {(key, p.step): p.value for key, p in sorted(known, key=lambda one: one[1].timestamp)}
        new = self._points.get((point.key, point.step)) != point.value
        self._points[point.key, point.step] = point.value
        return new


def sync_sweep(store: Store, name: str) -> int:
    """Deliver a whole sweep, its jobs' runs and the run above them, and return the number of jobs. A repeated call adds
    nothing twice."""
    sweep = SweepSync(store, name)
    jobs = [job for job in read_jobs(store.layout.sweep(name)) if job.experiment]
    for experiment in sorted({job.experiment for job in jobs}):
        with store.guard():
            runs = {run.data.tags.get(IDENTITY_TAG): run for run in active_runs(store, experiment)}
        for identity in sorted({job.identity for job in jobs if job.experiment == experiment}):
            records, run = read(store.layout.run(identity) / JOURNAL), runs.get(identity)
            if run is not None and run.data.tags.get(SYNCED_TAG) == journal_version(records):
                sweep.follow(identity, run.info.run_id, run.data.tags.get(MLFLOW_PARENT_RUN_ID))
            elif records:
                sweep.follow(identity, sync(store, store.layout.run(identity)))
    sweep.deliver()
    return len(jobs)
