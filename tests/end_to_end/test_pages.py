"""What a user sees: MLflow and TensorBoard, opened in a browser on a real run."""

import re
import shutil
from pathlib import Path

import pytest

from pipeline.layout import Layout
from pipeline.tracking.store import Store
from tests.clones import copy, environment
from tests.end_to_end.pages import browser, find_chromium, open_page, run_of, served
from tests.zygote import Zygote

EXPERIMENT = "linear_diabetes"


@pytest.fixture
def project(reproduced: Path, zygote: Zygote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A reproduced clone, and a sweep in it."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    root = copy(reproduced, tmp_path / "clone")
    for folder in (root / "runs").iterdir():
        if not folder.name.startswith((EXPERIMENT, "hparams")):
            shutil.rmtree(folder)
    sweep = ["-m", f"experiment={EXPERIMENT}", "trainer.epochs=30", "trainer.optimizer.learning_rate=0.25,0.1"]
    for command, arguments in (("register", []), ("train", sweep)):
        done = zygote.run(f"pipeline.{command}", arguments, root, environment() | {"PYTHONPATH": str(root / "src")})
        assert done.returncode == 0, done.stderr
    return root


def run_score(root: Path, run: str) -> float:
    score: float = Store(Layout(root)).client.get_run(run).data.metrics["score"]
    return score


@pytest.mark.slow
@pytest.mark.skipif(find_chromium() is None, reason="no chromium (Debian: apt-get install chromium)")
def test_pages(project: Path) -> None:
    place, run = run_of(project, EXPERIMENT)
    with browser() as opened:
        page = open_page(opened, Layout(project).page("diabetes").as_uri(), "regression of target", "bmi")
        assert page.locator("svg rect.test").count() > 100
        with served(project, "ui", "UI_PORT") as address:
            # each page in a profile of its own, at the address that `make ui` has printed
            places = dict(re.findall(r"^(.+?): (http\S+)$", (project / "ui.log").read_text(), re.MULTILINE))
            assert list(places) == ["runs of all experiments", "experiments", "registered models"]
            score = f"{run_score(project, run):.6g}"
            # what is not closed goes on drawing and asking
            for url, texts in (
                (places["runs of all experiments"], (EXPERIMENT, "sweep-", "score", "interval", score)),
                (places["experiments"], (EXPERIMENT,)),
                (places["registered models"], (EXPERIMENT,)),
                (f"{address}/#/experiments/{place}/runs?workflowType=machine_learning", ("sweep-",)),
                (f"{address}/#/experiments/{place}/runs/{run}", ("test_r2", "trainer.epochs")),
                (f"{address}/#/models/{EXPERIMENT}", ("champion",)),
            ):
                open_page(opened, url, *texts).close()
            page = open_page(opened, f"{address}/#/experiments/{place}/runs/{run}/model-metrics", "learning_rate")
            page.locator("svg .scatterlayer path.js-line").first.wait_for(timeout=60_000)
            page.close()
        with served(project, "tensorboard", "TENSORBOARD_PORT") as address:
            page = open_page(opened, f"{address}/?tagFilter=loss#timeseries", "loss", f"{EXPERIMENT}-")
            page.locator("line-chart canvas, line-chart svg").first.wait_for(timeout=60_000)
            page = open_page(opened, f"{address}/#hparams", "trainer.optimizer.learning_rate", "0.25000", "0.10000")
            shown = page.locator("vaadin-grid, table").first
            shown.wait_for(timeout=60_000)
            assert page.get_by_text("val_loss").count()
            assert not page.get_by_text("trainer.batch_size").count(), "the same in all runs"
