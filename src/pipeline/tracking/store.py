"""The MLflow store: opened safely, its failures told in one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from mlflow.entities import Experiment
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from pipeline import locks
from pipeline.errors import TrackingError
from pipeline.layout import Layout
from pipeline.tracking.settings import set_defaults, without_password

SQLITE = "sqlite:///"
BROKEN_DATABASE = ("not a database", "malformed", "revision", "out-of-date")
# the UI then shows a run under model training, not among evaluations of language models
KIND = {"mlflow.experimentKind": "custom_model_development"}


class Store:
    """A client of `layout.tracking_uri`. A store that does not answer costs seconds, not minutes."""

    def __init__(self, layout: Layout) -> None:
        set_defaults()
        self.layout, self.uri = layout, layout.tracking_uri
        self.shown_uri = without_password(self.uri)

    @cached_property
    def client(self) -> MlflowClient:
        if not self.uri.startswith(SQLITE):
            return MlflowClient(self.uri, self.uri)
        # of several processes that create one SQLite store at once, all but one crash; the lock stands beside the
        # database because checkouts may share one
        database = Path(self.uri.removeprefix(SQLITE).partition("?")[0])
        with locks.hold(database.with_name(f"{database.name}.lock"), "the creation of the MLflow store"):
            client = MlflowClient(self.uri, self.uri)
            client.search_experiments(max_results=1)
            return client

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Turn whatever MLflow, its server or its database raises into one TrackingError."""
        import requests
        import sqlalchemy

        try:
            yield
        except (MlflowException, sqlalchemy.exc.SQLAlchemyError, requests.RequestException, OSError) as error:
            reason = without_password(" ".join(str(error).split()))[:300].rstrip(".")
            cure = "Check MLFLOW_TRACKING_URI and the server"
            if self.uri.startswith(SQLITE):
                broken = any(sign in reason for sign in BROKEN_DATABASE)
                cure = "Move that file away" if broken else "Run the same command again, or set MLFLOW_TRACKING_URI"
            raise TrackingError(
                f"MLflow at {self.shown_uri}: {reason}. {cure}; everything is kept in runs/ and build/, and the next "
                "`make repro` delivers it."
            ) from error

    def experiment(self, name: str) -> Experiment:
        """The MLflow experiment of this name, made or brought back where it is missing or deleted."""
        found = self.client.get_experiment_by_name(name)
        if found is None:
            # a local store's default location depends on the working directory; a server has its own
            local = (self.layout.artifacts / name).as_uri() if self.uri.startswith(SQLITE) else None
            try:
                return self.client.get_experiment(self.client.create_experiment(name, local, KIND))
            except MlflowException:
                found = self.client.get_experiment_by_name(name)
                if found is None:
                    raise
        if found.lifecycle_stage == "deleted":
            self.client.restore_experiment(found.experiment_id)
        return found
