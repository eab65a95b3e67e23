"""Where a project's own SQLite store keeps artifacts, after the project was moved, renamed or copied.

MLflow writes absolute places into its database. A checkout that was moved would not find its models, and would write
new ones to its old place. A copy would write into the original.
"""

import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote

# The tables and columns that name a place below an experiment's own place.
BELOW = (
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)
# A tag of MLflow's first experiment that holds the mlartifacts/ of the project to which the database belongs.
OWNER_TAG = "pipeline.artifacts"
NOTE = "WHERE experiment_id = 0 AND key = ?"


def follow_the_project(database: Path, artifacts: Path) -> None:
    """Let the places in `database` that lie where this project was before lie in its `artifacts` now, and say so.

    The database notes to which project it belongs. Places of other checkouts that share it are left alone. The places
    of models and of runs' reports move too if the files came along. Where only the database was copied, they stay where
    they are, and only new artifacts come here. In a database without the note, of an earlier version, the places count
    as this project's whose folders no longer exist.
    """
    if not database.is_file():
        return
    new = artifacts.as_uri()
    with closing(sqlite3.connect(database)) as connection, connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not {"experiments", "experiment_tags"} <= tables:
            return
        noted = connection.execute(f"SELECT value FROM experiment_tags {NOTE}", (OWNER_TAG,)).fetchone()
        if noted is not None and noted[0] == new:
            return
        moved = [noted[0]] if noted is not None else _roots_that_are_gone(connection, artifacts.name)
        places = (("experiments", "artifact_location"), *(BELOW if artifacts.is_dir() else ()))
        for old in moved:
            count = sum(_replace(connection, table, column, old, new) for table, column in places if table in tables)
            was = old.removesuffix(f"/{artifacts.name}")
            told = f"MLflow store {database}: this project was at {was}; {count} places of artifacts now point here"
            if count:
                print(told, file=sys.stderr)
        connection.execute(f"DELETE FROM experiment_tags {NOTE}", (OWNER_TAG,))
        note = "INSERT INTO experiment_tags (experiment_id, key, value) SELECT 0, ?, ? FROM experiments"
        connection.execute(f"{note} WHERE experiment_id = 0", (OWNER_TAG, new))


def _roots_that_are_gone(connection: sqlite3.Connection, name: str) -> list[str]:
    """The folders called `name` in which experiments of this pipeline have their places, but which do not exist."""
    roots = set()
    for experiment, location in connection.execute("SELECT name, artifact_location FROM experiments").fetchall():
        root = (location or "").removesuffix(below(experiment))
        path = Path(unquote(root.removeprefix("file://")))
        if root != (location or "") and root.endswith(f"/{name}") and not path.exists():
            roots.add(root)
    return sorted(roots)


def below(experiment: str) -> str:
    """The end of an experiment's place, in the form that it has in a URI."""
    return (Path("/") / experiment).as_uri().removeprefix("file://")


def _replace(connection: sqlite3.Connection, table: str, column: str, old: str, new: str) -> int:
    """Replace the beginning `old/` of all places in one column by `new/`, and return how many places had it."""
    statement = f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE substr({column}, 1, ?) = ?"
    return connection.execute(statement, (new, len(old) + 1, len(old) + 1, f"{old}/")).rowcount
