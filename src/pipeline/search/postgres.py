"""Studies on PostgreSQL. Its address may hold a password, which nothing here prints."""

import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.util import find_spec
from typing import TYPE_CHECKING, TypeVar

from pipeline.data.history import LeftAlive
from pipeline.errors import ConfigError
from pipeline.search.claims import Claims, PostgresClaims
from pipeline.tracking.settings import without_password

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from sqlalchemy import URL

Returned = TypeVar("Returned")
_repeating = ContextVar("_repeating", default=False)  # whether this is within a call that is done again as a whole

SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")
EXPECTED = "expected postgresql://user@host:port/database"
REASON_LENGTH = 300
CONNECT_SECONDS = 5
PATIENCE_SECONDS = 60.0
SECONDS_BETWEEN = 1.0
# The server frees the locks of a machine that has vanished without a word after so many seconds: idle, and then count
# times interval. With the defaults of most systems it takes two hours.
KEEPALIVES = {"idle": 30, "interval": 10, "count": 3}


def open_postgres(address: str, name: str) -> "tuple[BaseStorage, Claims]":
    """The storage, with its tables, and the locks of the study `name`. Raises ConfigError within seconds where the
    server does not answer."""
    url = url_of(address)
    if find_spec("psycopg") is None:
        raise ConfigError("sweep.storage: PostgreSQL needs the package psycopg, which is not installed. Install it.")
    from optuna.storages import RDBStorage, get_storage
    from sqlalchemy import NullPool, create_engine

    arguments = connect_arguments(url)
    # A claim's connection is its lock, so it is closed and never used again.
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=arguments)
    # Of several workers that create the tables at once, all but one would fail.
    with answering(address), PostgresClaims(engine, "tables").study():
        try:
            storage = RDBStorage(url.render_as_string(False), {"pool_pre_ping": True, "connect_args": arguments})
        except RuntimeError as error:  # so Optuna says that it cannot read the tables
            raise ConfigError(
                f"sweep.storage: the tables in {shown(address)} are of another version of Optuna. Make a database for "
                "these searches alone, or bring its tables to this version (`optuna storage upgrade`; a copy first)."
            ) from error
    return get_storage(storage), PostgresClaims(engine, name)


def url_of(address: str) -> "URL":
    """The address for SQLAlchemy, with our driver. Raises ConfigError where it cannot be read."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    scheme, mark, rest = address.partition("://")
    if not mark or scheme not in SCHEMES:
        found = without_password(address)
        raise ConfigError(f"sweep.storage: found '{found}', {EXPECTED}, or nothing for a file in the sweep's folder.")
    try:
        url = make_url(f"postgresql+psycopg://{rest}")
    except (ArgumentError, ValueError) as error:
        raise ConfigError(f"sweep.storage: the address cannot be read, {EXPECTED}.") from error
    if "@" in (url.host or ""):
        raise ConfigError("sweep.storage: the address has several @. Write %40 for one in a user's name or a password.")
    return url


def shown(address: str) -> str:
    """The address for people: without user, password and options."""
    url = url_of(address)
    port = f":{url.port}" if url.port else ""
    return f"postgresql://{url.host or url.query.get('host', '')}{port}/{url.database or ''}"


def connect_arguments(url: "URL") -> dict[str, str | int]:
    """How a connection is made; what the address itself says wins."""
    server = " ".join(f"-c tcp_keepalives_{name}={value}" for name, value in KEEPALIVES.items())
    client = {f"keepalives_{name}": value for name, value in KEEPALIVES.items()}
    own = {"connect_timeout": CONNECT_SECONDS, **client}
    options = " ".join(filter(None, [server, str(url.query.get("options", ""))]))
    return {"options": options, **{key: value for key, value in own.items() if key not in url.query}}


class NoAnswerError(ConfigError, LeftAlive):
    """The storage is not there. What a worker does then fails nothing: its trial waits for another worker."""


@contextmanager
def answering(address: str) -> Iterator[None]:
    """Turn what the driver raises in the body into one error; without an `address` there is no server."""
    if not address:
        yield
        return
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (SQLAlchemyError, StorageInternalError) as error:
        raise NoAnswerError(
            f"sweep.storage: {shown(address)} does not answer ({_reason(error, url_of(address))}). Check the address, "
            "the server and the password (PGPASSWORD or ~/.pgpass); the same command then goes on."
        ) from error


@contextmanager
def without_patience() -> Iterator[None]:
    """Calls in the body are made once: somebody waits who has no use for an answer in a minute."""
    state = _repeating.set(True)
    try:
        yield
    finally:
        _repeating.reset(state)


def repeated(address: str, call: Callable[[], Returned]) -> Returned:
    """What `call` returns. While the server does not answer, as when another one takes its place, all of it is done
    again, for PATIENCE_SECONDS; so it must be right to do it twice. A call in such a call is done again with that one.
    """
    if not address or _repeating.get():
        with answering(address):
            return call()
    state, deadline, told = _repeating.set(True), time.monotonic() + PATIENCE_SECONDS, False
    try:
        while True:
            try:
                with answering(address):
                    return call()
            except NoAnswerError as error:
                if time.monotonic() >= deadline:
                    raise
                if not told:
                    print(f"{error}\ntrying again for {PATIENCE_SECONDS:g} s", file=sys.stderr, flush=True)
                told = True
                time.sleep(SECONDS_BETWEEN)
    finally:
        _repeating.reset(state)


def _reason(error: BaseException, url: "URL") -> str:
    """What the server or the driver says, in one line."""
    while error.__cause__ is not None:
        error = error.__cause__
    text = " ".join(str(getattr(error, "orig", None) or error).split()).rstrip(".")
    for secret in filter(None, (url.password, url.query.get("password"))):
        text = text.replace(str(secret), "***")
    return textwrap.shorten(text, REASON_LENGTH)
