"""`python -m pipeline.dashboard 8080 SWEEPS_PORT`: optuna-dashboard on that port. `make sweeps` calls it.

It shows one storage: the PostgreSQL that the environment variable SWEEP_STORAGE names, with all of its studies, or the
file of one search in runs/sweeps/, which SWEEP names; without both, the latest one.
"""

import os
import sys
import threading
from contextlib import suppress
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from pipeline.cli import run_command
from pipeline.errors import ConfigError, did_you_mean
from pipeline.layout import Layout
from pipeline.ports import check_port
from pipeline.ui import has_display, open_browser

if TYPE_CHECKING:
    from optuna.storages import BaseStorage

SWEEP, STORAGE = "SWEEP", "SWEEP_STORAGE"


class Server(ThreadingMixIn, WSGIServer):
    """A page asks for many things at once."""

    daemon_threads = True


class Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


def dashboard() -> None:
    """Serve the page until Ctrl-C; open it where there is a display."""
    check_port()
    storage, told = chosen(Layout.find(), os.environ.get(SWEEP, ""), os.environ.get(STORAGE, ""))
    from optuna_dashboard import wsgi

    port = int(sys.argv[1])
    address = f"http://127.0.0.1:{port}/dashboard"
    with make_server("127.0.0.1", port, wsgi(storage), Server, Silent) as server:
        print(f"{told}: {address} (Ctrl-C ends it)", flush=True)
        if has_display():
            threading.Thread(target=open_browser, args=(address, address), daemon=True).start()
        with suppress(KeyboardInterrupt):
            server.serve_forever()


def chosen(layout: Layout, sweep: str, address: str) -> "tuple[BaseStorage, str]":
    """What is to be shown, and what it is. Raises ConfigError where it is not there."""
    from pipeline.search.postgres import shown
    from pipeline.search.storage import JOURNAL_FILE, open_storage

    if address:
        return open_storage(address, "", Path())[0], f"the studies of {shown(address)}"
    files = sorted(layout.sweeps.glob(f"*/{JOURNAL_FILE}"), key=lambda path: (path.stat().st_mtime, path))
    names = [path.parent.name for path in reversed(files)]
    if not names:
        raise ConfigError(
            f"{layout.sweeps}: no search is here. Begin one: docs/searches.md. ({STORAGE}=postgresql://...)"
        )
    name = sweep or names[0]
    if name not in names:
        raise ConfigError(f"{SWEEP}: '{name}' is no search in {layout.sweeps} {did_you_mean(name, names)}")
    others = [other for other in names if other != name]
    more = f" (others by {SWEEP}=...: {', '.join(others)})" if others else ""
    return open_storage("", name, layout.sweep(name))[0], f"search {name}{more}"


def main() -> None:
    run_command(dashboard)


if __name__ == "__main__":
    main()
