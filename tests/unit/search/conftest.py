"""A PostgreSQL server of the tests' own, where its programs are installed."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of an empty database. The server listens on a socket in a folder of its own alone."""
    if find_spec("psycopg") is None or not shutil.which("initdb"):
        pytest.skip("PostgreSQL or psycopg is not installed")
    # The server refuses to run as root.
    account = {"user": "nobody", "group": 65534, "extra_groups": []} if os.getuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="postgres"))
    try:
        if account:
            shutil.chown(folder, "nobody")
        quiet = {"check": True, "stdout": subprocess.DEVNULL, "cwd": "/", **account}
        data, log = folder / "data", folder / "log"
        subprocess.run(["initdb", "--no-sync", "--auth=trust", "--username=tester", "-D", data], **quiet)
        options = f"-k {folder} -c listen_addresses='' -c fsync=off"
        subprocess.run(["pg_ctl", "-D", data, "-l", log, "-o", options, "--wait", "start"], **quiet)
        try:
            yield f"postgresql://tester@/postgres?host={folder}"
        finally:
            subprocess.run(["pg_ctl", "-D", data, "--mode=immediate", "--wait", "stop"], **quiet)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
