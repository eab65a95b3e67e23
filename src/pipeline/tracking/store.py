"""The MLflow store: opened safely, its failures told in one line."""

import os
import re
import textwrap
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
REASON_LENGTH = 300
# What MLflow's HTTP client and SQLite say in paragraphs, as a regular expression; what it means; what to do.
CHECK_SERVER = "Check MLFLOW_TRACKING_URI and the server"
OF_SERVERS = (
    ("Connection refused", "connection refused", CHECK_SERVER),
    ("timed out", "no answer in {timeout} s", CHECK_SERVER),
    ("Failed to resolve|Name or service not known", "unknown host", CHECK_SERVER),
)
OF_SQLITE = (
    ("is not a database|disk image is malformed", "no database, or a damaged one", "Move that file away"),
    (
        "out-of-date database schema|Can't locate revision",
        "its schema is of another version of MLflow",
        "Copy it and run `mlflow db upgrade {uri}`; if that knows no such version, move the file away",
    ),
    ("database or disk is full|No space left on device", "No space left on device", "Free some space"),
    (
        "readonly database|unable to open database file|Read-only file system|Permission denied",
        "cannot be written to",
        "Give yourself the right to write there, or set MLFLOW_TRACKING_URI",
    ),
)
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
            reason, cure = self._explained(error)
            raise TrackingError(
                f"MLflow at {self.shown_uri}: {reason}. {cure}; everything is kept in runs/ and build/, and the next "
                "`make repro` delivers it."
            ) from error

    def _explained(self, error: Exception) -> tuple[str, str]:
        """What is wrong, and what to do."""
        # behind what SQLite says SQLAlchemy puts the statement and its values
        text = without_password(" ".join(str(error).split())).partition(" [SQL:")[0]
        local = self.uri.startswith(SQLITE)
        for sign, meaning, cure in OF_SQLITE if local else OF_SERVERS:
            if re.search(sign, text):
                timeout = os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"]
                return meaning.format(timeout=timeout), cure.format(uri=self.shown_uri)
        usual = "Run the same command again, or set MLFLOW_TRACKING_URI" if local else CHECK_SERVER
        return textwrap.shorten(text, REASON_LENGTH).rstrip("."), usual

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
