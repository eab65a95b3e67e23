"""Series by YAML alone: from a table of hours to a registered model that takes windows."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.layout import Layout
from tests.conftest import Run
from tests.refusals import line_of
from tests.stages.test_register import ok

DATASET = """
defaults: [series_schema]
path: data/raw/load.csv
time: hour
series: station
columns: {hour: number, load: number, temperature: number}
task: regression
target: load
window: 24
split: time
"""
EXPERIMENT = """
# @package _global_
# How well does a weighted sum of a day tell the load of the next hour?
defaults:
  - override /dataset: load
  - override /model: linear
  - override /trainer: exact
"""


def hours(count: int) -> str:
    """Two stations whose load follows the time of day, and the temperature of three hours before."""
    random = np.random.default_rng(0)
    lines = ["hour,station,load,temperature"]
    for station in "ab":
        warm = np.cumsum(random.normal(size=count)) / 5
        load = (
            1000 * np.sin(np.arange(count) * 2 * np.pi / 24) + 300 * np.roll(warm, 3) + 30 * random.normal(size=count)
        )
        lines += [f"{i},{station},{x:.3f},{t:.3f}" for i, (x, t) in enumerate(zip(load, warm, strict=True))]
    return "\n".join(lines) + "\n"


@pytest.mark.slow
def test_a_forecast_beats_the_last_value_and_its_model_takes_windows(
    checkout: Path, pipeline: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (checkout / "conf/dataset/load.yaml").write_text(DATASET)
    (checkout / "conf/experiment/linear_load.yaml").write_text(EXPERIMENT.lstrip())
    (checkout / "params.yaml").write_text(
        "seed: 1\nsplit: {seed: 1, test: 0.2, validation: 0.1}\ndatasets: [load]\nexperiments: {linear_load: load}\n"
        "promotion: {minima: {linear_load: {r2: 0.5}}}\n"
    )
    (checkout / "data/raw/load.csv").write_text(hours(500))
    ok(pipeline("configure"))
    ok(pipeline("prepare", "dataset=load"))
    ok(pipeline("train", "experiment=linear_load", "output=build/train/linear_load"))
    ok(pipeline("evaluate", "experiment=linear_load"))
    report = json.loads((Layout(checkout).evaluated("linear_load") / "report.json").read_text())
    found = {reference["model"]: reference["r2"] for reference in report["references"]}
    assert list(found) == ["LinearRegression", "LastValue"]
    assert report["test"]["r2"]["value"] == pytest.approx(found["LinearRegression"], abs=1e-4)
    assert report["test"]["r2"]["value"] > found["LastValue"]
    # a hundred windows in a row share hours with one another, those of both stations
    assert report["resampled"] == "no interval: 1 block of about 190 rows in the order of time, expected 6 or more"
    assert set(report["test"]["r2"]) == {"value"}
    assert " champion " in ok(pipeline("register"))
    (checkout / "new.csv").write_text(hours(30))
    ok(pipeline("predict", "model=linear_load", "input=new.csv", "output=forecasts.parquet"))
    forecasts = pq.read_table(checkout / "forecasts.parquet").to_pylist()
    assert [(f["series"], f["window_ends"], f["time"]) for f in forecasts] == [
        (station, float(hour), hour + 1.0) for station in "ab" for hour in range(23, 30)
    ]
    # every second hour, and a sensor that fails half of the time
    head, *lines = hours(2000).splitlines()
    (checkout / "slow.csv").write_text("\n".join([head, *lines[:60:2]]) + "\n")
    assert line_of(pipeline("predict", "model=linear_load", "input=slow.csv", "output=slow.parquet")) == (
        "error: slow.csv: its rows are 2 apart, expected 1, as those for training are. Bring them to that step, or "
        "train a model with rows like these."
    )
    broken = [line if i // 50 % 2 else f"{line.rpartition(',')[0]},?" for i, line in enumerate(lines)]
    (checkout / "broken.csv").write_text("\n".join([head, *broken]) + "\n")
    done = pipeline("drift", "dataset=load", "input=broken.csv", "output=drift.json")
    assert (done.returncode, done.stderr) == (3, "")
    measures = json.loads((checkout / "drift.json").read_text())["measures"]
    (failing,) = (measure for measure in measures if measure["what"] == "none of its type in temperature")
    assert (failing["value"], failing["verdict"], failing["rows"]) == (0.5, "drift", 4000)

    import mlflow

    mlflow.set_tracking_uri(Layout(checkout).tracking_uri)
    model = mlflow.pyfunc.load_model("models:/linear_load@champion")
    windows = np.random.default_rng(1).normal(size=(3, 24, 2)) * 1000
    newest = np.loadtxt(checkout / "new.csv", delimiter=",", skiprows=1, usecols=(2, 3))[-24:]
    answer = model.predict({"series": newest[np.newaxis]})["prediction"][0]
    assert forecasts[-1]["prediction"] == pytest.approx(answer, rel=1e-6)
    answers = model.predict({"series": windows})["prediction"]
    assert np.isfinite(answers).all()
    assert model.predict({"series": windows.tolist()})["prediction"].equals(answers)
    assert model.predict({"series": windows.reshape(3, -1)})["prediction"].equals(answers)
    with pytest.raises(mlflow.exceptions.MlflowException, match="column 'series': 3 values are not a window of finite"):
        model.predict({"series": windows[:, :20]})
