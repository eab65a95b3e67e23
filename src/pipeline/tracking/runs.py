"""The MLflow runs of an experiment. The pipeline finds each by its identity, which is a tag of the run."""

from collections.abc import Iterator

from mlflow.entities import LifecycleStage, Run, RunTag, ViewType

from pipeline.tracking import names
from pipeline.tracking.store import Store

IDENTITY_TAG = "pipeline.identity"


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


def tags_of(tags: dict[str, str]) -> list[RunTag]:
    return [RunTag(names.key(key), names.cut(value, names.TAG_LENGTH)) for key, value in tags.items()]
