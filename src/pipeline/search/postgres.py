"""Studies on PostgreSQL. Its address may hold a password, which nothing here prints."""

import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from pipeline.errors import ConfigError
from pipeline.search.claims import Claims, PostgresClaims

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from sqlalchemy import URL

SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")
EXPECTED = "expected postgresql://user@host:port/database"
REASON_LENGTH = 300
CONNECT_SECONDS = 5
# The server frees the locks of a machine that has vanished without a word after so many seconds: idle, and then count
# times interval. With the defaults of most systems it takes two hours.
KEEPALIVES = {"idle": 30, "interval": 10, "count": 3}


def open_postgres(address: str, name: str) -> "tuple[BaseStorage, Claims]":
    """The storage, with its tables, and the locks of the study `name`. Raises ConfigError within seconds where the
    server does not answer."""
    url = url_of(address)
    if find_spec("psycopg") is None:
        raise ConfigError("sweep.storage: PostgreSQL needs the package psycopg, which is not installed. Install it.")
    from optuna.storages import RDBStorage
    from sqlalchemy import NullPool, create_engine

    arguments = connect_arguments(url)
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=arguments)
    with answering(address):
        # Of several workers that create the tables at once, all but one would fail.
        with PostgresClaims(engine, "tables").study():
            storage = RDBStorage(_with_password(url), {"pool_pre_ping": True, "connect_args": arguments})
        return storage, PostgresClaims(engine, name)


def url_of(address: str) -> "URL":
    """The address for SQLAlchemy, with our driver. Raises ConfigError, which does not repeat what it cannot read."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    scheme, mark, rest = address.partition("://")
    if not mark or scheme not in SCHEMES:
        found = f"{scheme}://..." if mark else "no address"
        raise ConfigError(f"sweep.storage: found {found}, {EXPECTED}, or nothing for a file.")
    try:
        url = make_url(f"postgresql+psycopg://{rest}")
    except (ArgumentError, ValueError) as error:
        raise ConfigError(f"sweep.storage: the address cannot be read, {EXPECTED}.") from error
    if "@" in (url.host or ""):
        raise ConfigError("sweep.storage: the address has several @. Write %40 for one in a user's name or a password.")
    return url


def shown(url: "URL") -> str:
    """The address for people: without user, password and options."""
    port = f":{url.port}" if url.port else ""
    return f"postgresql://{url.host or url.query.get('host', '')}{port}/{url.database or ''}"


def _with_password(url: "URL") -> str:
    return url.render_as_string(hide_password=False)


def connect_arguments(url: "URL") -> dict[str, str | int]:
    """How a connection is made; what the address itself says wins."""
    server = " ".join(f"-c tcp_keepalives_{name}={value}" for name, value in KEEPALIVES.items())
    client = {f"keepalives_{name}": value for name, value in KEEPALIVES.items()}
    own = {"connect_timeout": CONNECT_SECONDS, **client}
    options = " ".join(filter(None, [server, str(url.query.get("options", ""))]))
    return {"options": options, **{key: value for key, value in own.items() if key not in url.query}}


@contextmanager
def answering(address: str) -> Iterator[None]:
    """Turn what the driver raises in the body into one ConfigError; without an `address` there is no server."""
    try:
        yield
    except Exception as error:
        if not address or not is_lost(error):
            raise
        url = url_of(address)
        raise ConfigError(
            f"sweep.storage: PostgreSQL at {shown(url)}: {_reason(error, url)}. Check the address, the server and the "
            "password (PGPASSWORD or ~/.pgpass). Nothing is lost; the same command goes on."
        ) from error


def is_lost(error: Exception) -> bool:
    """Whether the error comes from the storage, so that what was to be kept there is not."""
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    return isinstance(error, (StorageInternalError, SQLAlchemyError))


def _reason(error: BaseException, url: "URL") -> str:
    """What the server or the driver says, in one line."""
    while error.__cause__ is not None:
        error = error.__cause__
    text = " ".join(str(getattr(error, "orig", None) or error).split()).rstrip(".")
    for secret in filter(None, (url.password, url.query.get("password"))):
        text = text.replace(str(secret), "***")
    return textwrap.shorten(text, REASON_LENGTH)
