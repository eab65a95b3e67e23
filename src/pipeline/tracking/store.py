"""The MLflow store: it is opened safely, and each of its failures becomes an error of one line."""

import os
import re
import sqlite3
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path

from mlflow.entities import Experiment
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from pipeline import locks
from pipeline.errors import RefusedError, TrackingError
from pipeline.layout import POSTGRES, SQLITE, Layout
from pipeline.tracking.places import follow_the_project
from pipeline.tracking.settings import set_defaults, without_password

REASON_LENGTH = 300
CREATION_KEY = 0x6D6C666C6F77  # of PostgreSQL's lock on the creation of a store: mlflow
# For what MLflow's HTTP client and SQLite say in paragraphs: a regular expression that recognises it, what it means,
# and what to do.
CHECK_SERVER = "Check MLFLOW_TRACKING_URI and the server"
OF_SERVERS = (
    ("Connection refused", "connection refused", CHECK_SERVER),
    ("timed out", "no answer in {timeout} s", f"{CHECK_SERVER}, or give it more time with MLFLOW_HTTP_REQUEST_TIMEOUT"),
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
# With these error codes the store answers about one item, so it is there.
ANSWERS = {
    "INVALID_PARAMETER_VALUE",
    "RESOURCE_DOES_NOT_EXIST",
    "RESOURCE_ALREADY_EXISTS",
    "BAD_REQUEST",
    "INVALID_STATE",
}
# With this tag MLflow's UI shows a run under model training, and not among evaluations of language models.
KIND = {"mlflow.experimentKind": "custom_model_development"}


class Store:
    """A client of the store at `layout.tracking_uri`. A store that does not answer costs seconds, not minutes."""

    def __init__(self, layout: Layout, gives_way: bool = False) -> None:
        """`gives_way` says that any other process that delivers a run may terminate this one, which has a low priority;
        only while it creates a database, nobody does."""
        set_defaults()
        self.layout, self.uri, self.gives_way = layout, layout.tracking_uri, gives_way
        self.shown_uri = without_password(self.uri)

    @cached_property
    def client(self) -> MlflowClient:
        if self.uri.startswith(POSTGRES):
            with self._server_lock():
                client = MlflowClient(self.uri, self.uri)
                client.search_experiments(max_results=1)
                return client
        if not self.uri.startswith(SQLITE):
            return MlflowClient(self.uri, self.uri)
        # If several processes create one SQLite store at the same time, all but one of them crash.
        with locks.hold(self._creation_lock, "the creation of the MLflow store"):
            if self.is_own:
                self._follow_the_project()
            client = MlflowClient(self.uri, self.uri)
            client.search_experiments(max_results=1)
            if self.is_own:
                self._follow_the_project()  # a new database notes to which project it belongs
            self._remove_misread_folder()
            return client

    @contextmanager
    def _server_lock(self) -> Iterator[None]:
        """PostgreSQL's own lock: of several machines that create one store at the same time, all but one would fail. A
        server that does not answer is found out here, where MLflow would try for minutes."""
        from sqlalchemy import NullPool, create_engine, text

        seconds = float(os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"])
        arguments = {"connect_timeout": max(2, round(seconds))}
        engine = create_engine(self.uri, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=arguments)
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": CREATION_KEY})
            yield

    def _remove_misread_folder(self) -> None:
        """Remove a folder that MLflow makes by mistake. It makes the folder of a database as the URI spells it: for
        feature%2Flogin that is feature%252Flogin. It still opens the database in the right folder."""
        written, database = Path(self.uri.removeprefix(SQLITE).partition("?")[0]).parent, self.layout.database
        with suppress(OSError):  # a folder that is not empty was not made by this mistake
            while database is not None and written not in (database.parent, *database.parents):
                written.rmdir()
                written = written.parent

    @property
    def _creation_lock(self) -> Path:
        """One of the project's locks, or for a database elsewhere, which checkouts may share, a file beside it."""
        database = self.layout.database
        assert database is not None
        return self.layout.lock(database.name) if self.is_own else database.with_name(f"{database.name}.lock")

    @property
    def is_own(self) -> bool:
        """Whether the store is a database in this project's folder."""
        database = self.layout.database
        return database is not None and self.layout.home in database.parents

    def _follow_the_project(self) -> None:
        assert self.layout.database is not None
        try:
            follow_the_project(self.layout.database, self.layout.artifacts)
        except sqlite3.Error:
            return  # MLflow will run into the same fault and report it

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Turn whatever MLflow, its server or its database raises into one TrackingError."""
        import requests
        import sqlalchemy

        try:
            yield
        except (MlflowException, sqlalchemy.exc.SQLAlchemyError, requests.RequestException, OSError) as error:
            raise self._explained(error) from error

    def _explained(self, error: Exception) -> TrackingError:
        """An error that says what is wrong and what to do. It is a RefusedError where the store is there but refuses
        the one item that it was asked for."""
        kept = "everything is kept in runs/ and build/, and the next `make repro` delivers it."
        # SQLAlchemy appends the statement and its values to what SQLite says.
        text = without_password(" ".join(str(error).split())).partition(" [SQL:")[0]
        local = self.uri.startswith(SQLITE)
        for sign, meaning, cure in OF_SQLITE if local else OF_SERVERS:
            if re.search(sign, text):
                timeout = os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"]
                reason, cure = meaning.format(timeout=timeout), cure.format(uri=self.shown_uri)
                return TrackingError(f"MLflow at {self.shown_uri}: {reason}. {cure}; {kept}")
        reason = textwrap.shorten(text, REASON_LENGTH).rstrip(".")
        answered = isinstance(error, MlflowException) and error.error_code in ANSWERS
        if answered or isinstance(error, FileNotFoundError) or "No such artifact" in text:
            return RefusedError(f"MLflow at {self.shown_uri} refuses this: {reason}. Mend that; {kept}")
        usual = "Run the same command again, or set MLFLOW_TRACKING_URI" if local else CHECK_SERVER
        return TrackingError(f"MLflow at {self.shown_uri}: {reason}. {usual}; {kept}")

    @cached_property
    def birth(self) -> str:
        """The time at which the store's first experiment was created. It tells this store from another that was made
        anew at the same address."""
        first = self.client.get_experiment("0")
        return str(first.creation_time)

    def experiment(self, name: str) -> Experiment:
        """The MLflow experiment of this name. It is created where it is missing, and restored where it was deleted."""
        found = self.client.get_experiment_by_name(name)
        if found is None:
            # The default location of a database depends on the working directory; a server has a location of its own.
            database = self.uri.startswith((SQLITE, POSTGRES))
            local = (self.layout.artifacts / name).as_uri() if database else None
            try:
                return self.client.get_experiment(self.client.create_experiment(name, local, KIND))
            except MlflowException:
                found = self.client.get_experiment_by_name(name)
                if found is None:
                    raise
        if found.lifecycle_stage == "deleted":
            self.client.restore_experiment(found.experiment_id)
        return found
