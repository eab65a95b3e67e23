"""MLflow's and TensorBoard's pages in a headless browser. `make screenshots` takes the pictures of README and docs.

python -m tests.end_to_end.pages        # docs/images/*.png, of a reproduction and of a sweep in clones of their own
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from pipeline.layout import Layout
from pipeline.tracking.store import Store
from pipeline.tracking.views import TRAINING, addresses, shown_experiments
from tests.clones import MAKE, ROOT, clone, environment

WAIT = 60_000  # milliseconds
SERVER_SECONDS = 180
SIZE = {"width": 1280, "height": 760}
SHOWN = "spoken_digits_synthetic"  # the dataset whose page docs/ shows
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


def find_chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@contextmanager
def served(root: Path, target: str, setting: str) -> Iterator[str]:
    """`make ui` or `make tensorboard` in `root`, with this environment; yields the address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [*MAKE, target, f"{setting}={port}"]
    env = environment() | {"PYTHONPATH": str(root / "src")}
    with (root / f"{target}.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=root, env=env, stdout=log, stderr=log, start_new_session=True)
    try:
        deadline = time.monotonic() + SERVER_SECONDS
        while True:
            try:
                urllib.request.urlopen(address, timeout=2).close()
                break
            except OSError:
                said = (root / f"{target}.log").read_text()
                assert process.poll() is None, said
                assert time.monotonic() < deadline, f"make {target} does not answer\n{said}"
                time.sleep(0.25)
        yield address
    finally:
        subprocess.run(["pkill", "-TERM", "-s", str(process.pid)], check=False)
        process.wait(timeout=30)
        (root / f"{target}.log").unlink()


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=find_chromium(), args=QUIET)
        try:
            yield opened
        finally:
            opened.close()


def open_page(opened: Browser, url: str, *texts: str) -> Page:
    """A page of `url`, once it shows all `texts`; MLflow's greeting is closed."""
    page = opened.new_page(viewport=SIZE)
    page.goto(url)
    for text in texts:
        page.get_by_text(text, exact=False).first.wait_for(timeout=WAIT)
    for name in ("Try it now", "Close"):
        button = page.get_by_role("button", name=name)
        if button.count():
            button.first.click(timeout=WAIT)
            page.wait_for_timeout(1500)
    return page


def run_of(root: Path, experiment: str) -> tuple[str, str]:
    """Experiment id and run id of an experiment's champion."""
    store = Store(Layout(root))
    champion = store.client.get_model_version_by_alias(experiment, "champion")
    return store.experiment(experiment).experiment_id, champion.run_id


SWEEP = (
    "-m",
    "experiment=cnn_digits",
    "trainer.epochs=3",
    "model.filters=8,16",
    "trainer.optimizer.learning_rate=0.01,0.003",
)


def in_clone(root: Path, *command: str) -> Path:
    """A clone at `root` in which `command` has run."""
    subprocess.run(command, cwd=clone(root), env=environment() | {"PYTHONPATH": str(root / "src")}, check=True)
    return root


def main() -> None:
    """Take the pictures."""
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    with tempfile.TemporaryDirectory() as folder:
        reproduced = in_clone(Path(folder) / "reproduced", "dvc", "repro")
        swept = in_clone(Path(folder) / "swept", sys.executable, "-m", "pipeline.train", *SWEEP)
        take(reproduced, swept, ROOT / "docs" / "images")


def take(reproduced: Path, swept: Path, images: Path) -> None:
    place, run = run_of(reproduced, "cnn_digits")
    with browser() as opened:
        with served(reproduced, "ui", "UI_PORT") as address:
            places = addresses(address, shown_experiments(Store(Layout(reproduced))))
            models = open_page(opened, places["registered models"], "cnn_digits")
            models.screenshot(path=images / "mlflow-models.png")
            runs = open_page(opened, places["runs of all experiments"], "cnn_digits", "score")
            runs.screenshot(path=images / "mlflow-runs.png")
            metrics = f"{address}/#/experiments/{place}/runs/{run}/model-metrics?{TRAINING}"
            page = open_page(opened, metrics, "learning_rate")
            page.wait_for_timeout(4000)
            page.screenshot(path=images / "mlflow-run.png")
        take_dataset(opened, Layout(reproduced).page(SHOWN), images / "dataset-page.png")
        with served(reproduced, "tensorboard", "TENSORBOARD_PORT") as address:
            page = open_page(opened, f"{address}/?runFilter=digits&tagFilter=loss|accuracy#timeseries", "loss")
            page.wait_for_timeout(6000)
            page.screenshot(path=images / "tensorboard.png")
        with served(swept, "tensorboard", "TENSORBOARD_PORT") as address:
            page = open_page(opened, f"{address}/#hparams", "learning_rate")
            page.wait_for_timeout(3000)
            page.screenshot(path=images / "tensorboard-hparams.png")
    print(f"pictures in {images}")


def take_dataset(opened: Browser, path: Path, image: Path) -> None:
    """The page of a dataset, from its columns on."""
    page = open_page(opened, path.as_uri(), "Columns")
    page.set_viewport_size({"width": 1180, "height": 900})
    page.get_by_role("heading", name="Columns").evaluate("heading => heading.scrollIntoView()")
    page.screenshot(path=image)


if __name__ == "__main__":
    main()
