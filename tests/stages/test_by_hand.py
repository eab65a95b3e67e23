"""A run by hand: data of its own configuration, results in its own folder, DVC's outputs untouched."""

import shutil
from pathlib import Path

import pytest

from pipeline.identity import read_identity
from pipeline.tracking.journal import read
from tests.conftest import Run


@pytest.mark.slow
def test_missing_data_is_prepared_and_nothing_of_dvcs_touched(checkout: Path, pipeline: Run) -> None:
    done = pipeline("train", "experiment=linear_diabetes", "trainer.epochs=2")
    assert done.returncode == 0, done.stderr
    (folder,) = checkout.glob("runs/linear_diabetes-*")
    assert done.stdout.splitlines()[-1] == (
        f"linear_diabetes: results in {folder}/output, journal and TensorBoard in {folder}, "
        f"MLflow run {folder.name} at sqlite:///{checkout}/mlflow.db"
    )
    assert sorted(path.name for path in (folder / "output").iterdir()) == [
        "history.csv",
        "identity.json",
        "model.keras",
        "predictions.parquet",
    ]
    assert not (checkout / "data" / "prepared").exists()
    assert not (checkout / "build" / "train").exists()
    assert not (checkout / "outputs").exists()
    (prepared,) = checkout.glob("runs/data/diabetes-*/")
    before = (prepared / "train.parquet").stat().st_mtime_ns
    # an edit of code that this run cannot reach makes no other run of it
    for name in ("data/sources/inline.py", "model/families/rnn.py"):
        with (checkout / "src" / "pipeline" / name).open("a") as stream:
            stream.write("\nCHANGED = 1\n")
    # the same data are there; another split is another preparation, and another identity
    assert pipeline("train", "-m", "experiment=linear_diabetes", "trainer.epochs=2", "split.seed=1,2").returncode == 0
    assert (prepared / "train.parquet").stat().st_mtime_ns == before
    assert len(list(checkout.glob("runs/data/diabetes-*/"))) == 2
    assert len(list(checkout.glob("runs/linear_diabetes-*"))) == 2
    # DVC's stage, on the data that DVC prepared, is the very same run
    assert pipeline("configure").returncode == 0
    assert pipeline("prepare", "dataset=diabetes").returncode == 0
    shutil.rmtree(prepared)
    stage = ("train", "experiment=linear_diabetes", "trainer.epochs=2")
    assert pipeline(*stage, "output=stage").returncode == 0
    assert len(list(checkout.glob("runs/linear_diabetes-*"))) == 2
    for path in (checkout / "stage").iterdir():
        assert path.read_bytes() == (folder / "output" / path.name).read_bytes()
    assert not prepared.exists()
    # which are not those of another split
    assert pipeline(*stage, "output=other", "split.seed=2").returncode == 0
    assert len(list(checkout.glob("runs/linear_diabetes-*"))) == 2
    assert read_identity(checkout / "other")["data"] != read_identity(checkout / "stage")["data"]


@pytest.mark.slow
@pytest.mark.parametrize(("preset", "epochs"), [("overfit", 1000), ("profile", 3)], ids=["overfit", "profile"])
def test_debugging_presets(preset: str, epochs: int, checkout: Path, pipeline: Run) -> None:
    done = pipeline("train", "experiment=linear_diabetes", f"debug={preset}")
    assert done.returncode == 0, done.stderr
    (folder,) = checkout.glob("runs/linear_diabetes-*")
    records = [record for record in read(folder / "journal.jsonl") if record["type"] == "metrics"]
    assert len(records) == epochs
    assert bool(list(folder.glob("tensorboard/plugins/profile/*/*.xplane.pb"))) == (preset == "profile")
    if preset == "overfit":
        assert records[-1]["values"]["loss"] < 0.01 < records[0]["values"]["loss"]
