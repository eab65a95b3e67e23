"""What a user sees: MLflow and TensorBoard, opened in a browser on a real run."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import ROOT, Run
from tests.end_to_end.pages import browser, find_chromium, open_page, run_of, served

EXPERIMENT = "linear_diabetes"


@pytest.fixture
def project(checkout: Path, pipeline: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One experiment through the whole pipeline, and a sweep of it."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    shutil.copy2(ROOT / "Makefile", checkout / "Makefile")
    (checkout / "params.yaml").write_text(
        "seed: 1\nsplit: {seed: 1, test: 0.2, validation: 0.1}\ndatasets: [diabetes]\n"
        f"experiments: {{{EXPERIMENT}: diabetes}}\npromotion: {{minima: {{{EXPERIMENT}: {{r2: -1.0}}}}}}\n"
    )
    short = (f"experiment={EXPERIMENT}", "trainer.epochs=30")
    for command in (
        ("configure",),
        ("prepare", "dataset=diabetes"),
        ("train", "-m", *short, "trainer.optimizer.learning_rate=0.25,0.1"),
        ("train", *short, f"output=build/train/{EXPERIMENT}"),
        ("evaluate", f"experiment={EXPERIMENT}"),
        ("register",),
    ):
        done = pipeline(*command)
        assert done.returncode == 0, done.stderr
    return checkout


@pytest.mark.slow
@pytest.mark.skipif(find_chromium() is None, reason="no chromium (Debian: apt-get install chromium)")
def test_pages(project: Path) -> None:
    place, run = run_of(project, EXPERIMENT)
    with browser() as opened:
        with served(project, "ui", "UI_PORT") as address:
            open_page(opened, f"{address}/#/experiments", EXPERIMENT)
            open_page(opened, f"{address}/#/experiments/{place}/runs", "sweep-")
            page = open_page(opened, f"{address}/#/experiments/{place}/runs/{run}/model-metrics", "learning_rate")
            page.locator("svg .scatterlayer path.js-line").first.wait_for(timeout=60_000)
            open_page(opened, f"{address}/#/experiments/{place}/runs/{run}", "test_r2", "trainer.epochs")
            open_page(opened, f"{address}/#/models/{EXPERIMENT}", "champion")
        with served(project, "tensorboard", "TENSORBOARD_PORT") as address:
            page = open_page(opened, f"{address}/?tagFilter=loss#timeseries", "loss", f"{EXPERIMENT}-")
            page.locator("line-chart canvas, line-chart svg").first.wait_for(timeout=60_000)
            open_page(opened, f"{address}/#hparams", "trainer.optimizer.learning_rate", "0.25000", "0.10000")
