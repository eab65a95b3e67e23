"""A PostgreSQL server of the tests' own. It asks for a password, which nothing may print or keep."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

USER, PASSWORD = "tester", "Secret-of-the-server"


def programs() -> Path | None:
    """The folder of the server's programs, which Debian does not put on the path; None where they are not installed."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return folders[-1] if folders and (folders[-1] / "initdb").is_file() else None


@dataclass
class Server:
    """It listens on a socket in `folder` alone."""

    programs: Path
    folder: Path
    databases: int = 0

    def address(self, database: str, password: str = PASSWORD) -> str:
        where = urlencode({"host": str(self.folder)}, safe="/")
        return f"postgresql://{USER}:{password}@/{database}?{where}"

    def new_database(self) -> str:
        """The address of a new, empty database."""
        self.databases += 1
        name = f"test{self.databases}"
        env = os.environ | {"PGPASSWORD": PASSWORD}
        command = [self.programs / "createdb", "-h", self.folder, "-U", USER, name]
        subprocess.run(command, env=env, check=True)
        return self.address(name)

    def control(self, *arguments: str) -> None:
        options = ["-D", self.folder / "data", "-l", self.folder / "log", "--silent", "--wait"]
        started = ["-o", f"-k {self.folder} -c listen_addresses='' -c fsync=off"] if "start" in arguments else []
        _run(self.programs / "pg_ctl", *options, *started, *arguments)


@contextmanager
def running_server(found: Path) -> Iterator[Server]:
    """A server with the programs in the folder `found`. Only the path of a short folder fits into a socket's name."""
    folder = Path(tempfile.mkdtemp(prefix="postgres"))
    server = Server(found, folder)
    try:
        (folder / "password").write_text(PASSWORD)
        if os.getuid() == 0:
            for path in (folder, folder / "password"):
                shutil.chown(path, "nobody")
            folder.chmod(0o755)
        options = ["--no-sync", "--auth=scram-sha-256", f"--username={USER}", f"--pwfile={folder / 'password'}"]
        _run(found / "initdb", *options, "-D", folder / "data")
        server.control("start")
        try:
            yield server
        finally:
            server.control("--mode=immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(*command: str | Path) -> None:
    """The server's programs refuse to run as root."""
    account = {"user": "nobody", "group": 65534, "extra_groups": []} if os.getuid() == 0 else {}
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", **account)  # type: ignore[call-overload]
