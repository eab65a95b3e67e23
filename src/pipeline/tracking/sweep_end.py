"""The end of a sweep: what it found reaches MLflow, and the user reads a table of it."""

from pipeline.errors import ConfigError, TrackingError
from pipeline.layout import Layout
from pipeline.tracking.settings import FOR_A_PERSON, set_defaults
from pipeline.tracking.sweep import read_jobs
from pipeline.tracking.sweep_summary import summary


def end_sweep(layout: Layout, name: str) -> None:
    """Bring the sweep to MLflow and print its table, best job first. Raises ConfigError where a job has failed."""
    jobs = read_jobs(layout.sweep(name))
    address = deliver_sweep(layout, name)
    print(summary(jobs))
    print(f"sweep {name}: records in {layout.sweep(name)}, MLflow run sweep-{name} at {address}")
    if failed := [job for job in jobs if job.error]:
        raise ConfigError(f"{len(failed)} of {len(jobs)} jobs failed, first {failed[0].number}: {failed[0].error}")


def deliver_sweep(layout: Layout, name: str) -> str:
    """Bring the sweep to MLflow, or print why that does not answer, and return the store's address."""
    set_defaults(FOR_A_PERSON)
    from pipeline.tracking.store import Store
    from pipeline.tracking.sweep_sync import sync_sweep

    store = Store(layout)
    try:
        sync_sweep(store, name)
    except TrackingError as error:
        print(error)
    return store.shown_uri
