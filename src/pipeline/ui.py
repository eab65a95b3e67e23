"""`python -m pipeline.ui 5000 UI_PORT`: MLflow's pages on that port, and where to look there. `make ui` calls it."""

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request

from pipeline.cli import run_command
from pipeline.errors import ConfigError
from pipeline.ports import check_port

SECONDS_TO_START = 60.0


def ui() -> None:
    """Serve the store until Ctrl-C; open the first address where there is a display."""
    from pipeline.layout import SQLITE, Layout
    from pipeline.tracking.settings import FOR_A_PERSON, set_defaults, without_password

    check_port()
    set_defaults(FOR_A_PERSON)
    from pipeline.tracking.store import Store
    from pipeline.tracking.views import addresses, shown_experiments

    layout = Layout.find()
    if layout.tracking_uri.startswith("http"):
        raise ConfigError(f"MLFLOW_TRACKING_URI is a server: open {without_password(layout.tracking_uri)} in a browser")
    base = f"http://127.0.0.1:{sys.argv[1]}"
    store = Store(layout)
    places = addresses(base, shown_experiments(store))
    for name, address in places.items():
        print(f"{name}: {address}", flush=True)
    # One server process is enough for one person, and nothing here uses the workers that MLflow starts for evaluations
    # of language models. Without both, MLflow answers in half the time and takes a fourth of the processor time.
    command = [sys.executable, "-m", "mlflow", "ui", "--workers", "1"]
    store_uri = f"{SQLITE}{layout.database.name}" if store.is_own and layout.database else layout.tracking_uri
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the server too; this process ends after it
    server = subprocess.Popen(
        [*command, "--port", sys.argv[1]],
        cwd=layout.home,
        # A database's address may hold a password, which a command line would show to others.
        env=os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_BACKEND_STORE_URI": store_uri},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    if has_display():
        threading.Thread(target=open_browser, args=(base, next(iter(places.values()))), daemon=True).start()
    if code := server.wait():
        raise ConfigError(f"mlflow ui ended with {code}; what it said stands above.")


def has_display() -> bool:
    """Whether there is a screen on which a browser could open."""
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def open_browser(base: str, address: str) -> None:
    """Open `address` once `base` answers."""
    import webbrowser

    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(base, timeout=2).close()
        except OSError:
            time.sleep(0.3)
        else:
            webbrowser.open(address)
            return


def main() -> None:
    run_command(ui)


if __name__ == "__main__":
    main()
