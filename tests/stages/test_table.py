"""A table of one's own, by YAML alone: from a CSV file to a registered model that takes its rows as they are."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.layout import Layout
from pipeline.tasks.task import PREDICTION
from tests.clones import environment
from tests.conftest import Run
from tests.refusals import line_of
from tests.stages.test_register import ok

DATASET, EXPERIMENT = "birds", "logistic_birds"
YAML = """
defaults: [table_schema]
path: data/raw/birds.csv
task: multiclass
target: species
missing: [NA]
columns:
  island: category
  bill mm: number
  ringed: boolean
  seen: {type: date, format: "%d.%m.%Y"}
  note: text
"""
LOAD = """
import sys
import mlflow, pandas
assert not any(name.split(".")[0] == "pipeline" for name in sys.modules)
try:
    import pipeline
except ImportError:
    pass
else:
    raise AssertionError(f"it should load without the package, which is at {pipeline.__path__}")
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model(f"models:/{sys.argv[2]}@champion")
rows = pandas.read_csv(sys.argv[3], dtype=str, keep_default_na=False)
answers = model.predict(rows)
# the order of the columns, an index and more columns do not matter, nor in which form the rows come
other = rows.set_index(rows.index + 7)[rows.columns[::-1]]
assert model.predict(other).equals(answers)
assert model.predict(rows.to_dict("list")).equals(answers)
assert model.predict(rows.to_dict("records")).equals(answers)
assert model.predict(rows.head(0)).empty
plain = pandas.read_csv(sys.argv[3])  # with NaN for what is missing
assert model.predict(plain.astype({"island": "category"})).equals(answers)
for bad, text in (
    ({"bill mm": "wide"}, "column 'bill mm': 1 value is not a finite number (row 2: 'wide')."),
    ({"bill mm": "inf"}, "column 'bill mm': 1 value is not a finite number (row 2: 'inf')."),
    ({"seen": "31.02.2020"}, "column 'seen': 1 value is not a date in the column's format (row 2: '31.02.2020')."),
    ({"ringed": ""}, "column 'ringed': 1 value is not yes or no (row 2: '')."),
    ({"ringed": None}, "column 'ringed': 1 value is not yes or no (row 2: a missing value)."),
):
    wrong = rows.copy()
    for name, value in bad.items():
        wrong.loc[1, name] = value
    try:
        model.predict(wrong)
    except mlflow.MlflowException as error:
        assert text in str(error), str(error)
        assert error.error_code == "INVALID_PARAMETER_VALUE"
    else:
        raise AssertionError(f"taken: {bad}")
types = model.metadata.metadata["columns"]
assert types["seen"] == {"type": "date", "missing": ["NA"], "format": "%d.%m.%Y", "nullable": False}, types
"""
SERVE = """
# what `mlflow models serve` answers to
import asyncio, json
from mlflow.pyfunc import scoring_server

app = scoring_server.init(model)


def post(kind, body):
    parts, body = [], iter([body.encode()])

    async def receive():
        if (part := next(body, None)) is None:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": part, "more_body": False}

    async def send(message):
        parts.append(message)

    scope = {"type": "http", "http_version": "1.1", "method": "POST", "scheme": "http", "path": "/invocations",
             "query_string": b"", "headers": [(b"content-type", kind.encode())], "server": None, "client": None}
    asyncio.run(app(scope, receive, send))
    text = b"".join(part.get("body", b"") for part in parts[1:]).decode()
    assert "NaN" not in text and "Infinity" not in text, text
    return parts[0]["status"], text


text = open(sys.argv[3], encoding="utf-8").read()
records = [{name: None if value == "NA" else value for name, value in row.items()} for row in rows.to_dict("records")]
split = {"columns": list(rows.columns), "data": [list(row.values()) for row in records]}
for kind, body in (
    ("text/csv", text),
    ("text/csv; charset=utf-8", rows[rows.columns[::-1]].to_csv(index=False)),
    ("application/json", json.dumps({"dataframe_split": split})),
    ("application/json", json.dumps({"dataframe_records": records})),
    ("application/json", json.dumps({"inputs": rows.to_dict("list")})),
):
    status, found = post(kind, body)
    assert status == 200, found
    assert json.loads(found)["predictions"] == answers.to_dict("records"), (kind, body[:40])
assert json.loads(post("text/csv", text.split("\\n")[0])[1]) == {"predictions": []}
for kind, body, expected in (
    ("text/csv", text.replace(",yes,", ",perhaps,", 1), "'ringed': 1 value is not yes or no (row 1: 'perhaps')."),
    ("text/csv", text.replace(",ringed,", ",ring,"), "input: there is no column 'ringed'"),
    ("text/csv", text.replace(",x\\n", ",x,x\\n", 1), "1 row cannot be read (row 1: found 8 fields, expected 7)."),
    ("application/json", json.dumps({"dataframe_records": [records[1] | {"ringed": None}]}),
     "'ringed': 1 value is not yes or no (row 1: a missing value)."),
    ("application/json", json.dumps({"dataframe_records": [records[2], records[1] | {"bill mm": 1e140}]}),
     "input: 1 row has no finite answer (row 2), because values are too large."),
):
    status, found = post(kind, body)
    assert status == 400, (status, found)
    assert expected in json.loads(found)["message"], found
print(*answers["prediction"])
"""


def csv(rows: int, leak: bool = False) -> str:
    random = np.random.default_rng(0)
    lines = ["species,island,bill mm,ringed,seen,note,unused"]
    for i in range(rows):
        species = ("Adélie", "Gentoo", "Chin, strap")[i % 3]
        island = "NA" if i % 11 == 0 else ("Biscoe", "Dream")[int(random.random() < 0.5)]
        bill = "NA" if i % 13 == 0 else f"{35 + 5 * (i % 3) + random.normal():.2f}"
        day = f"{random.integers(1, 29):02d}.{random.integers(1, 13):02d}.2020"
        note = (
            f"a {('small', 'large', 'quiet')[i % 3 if leak else random.integers(0, 3)]} one, {random.integers(0, 9)}!"
        )
        lines.append(f'"{species}",{island},{bill},{("yes", "no")[i % 2]},{day},"{note}",x')
    return "\n".join(lines) + "\n"


@pytest.fixture
def table(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The CSV file of a checkout that has one dataset and one experiment, both on it."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    conf, file = checkout / "conf", checkout / "data" / "raw" / "birds.csv"
    (conf / "dataset" / f"{DATASET}.yaml").write_text(YAML)
    (conf / "experiment" / f"{EXPERIMENT}.yaml").write_text(
        "# @package _global_\n# Which bird is it?\ndefaults:\n  - override /dataset: birds\n"
        "  - override /model: logistic\ntrainer: {epochs: 30, optimizer: {learning_rate: 0.1}}\n"
    )
    (checkout / "params.yaml").write_text(
        f"seed: 1\nsplit: {{seed: 1, test: 0.3, validation: 0.2}}\ndatasets: [{DATASET}]\n"
        f"experiments: {{{EXPERIMENT}: {DATASET}}}\npromotion: {{minima: {{{EXPERIMENT}: {{accuracy: 0.8}}}}}}\n"
    )
    file.write_text(csv(240))
    return file


@pytest.mark.slow
def test_from_a_file_to_a_model_that_takes_its_rows(table: Path, checkout: Path, pipeline: Run, tmp_path: Path) -> None:
    layout = Layout(checkout)
    ok(pipeline("configure"))
    ok(pipeline("prepare", f"dataset={DATASET}"))
    ok(pipeline("train", f"experiment={EXPERIMENT}", f"output=build/train/{EXPERIMENT}"))
    ok(pipeline("evaluate", f"experiment={EXPERIMENT}"))
    assert " champion " in ok(pipeline("register"))
    out = tmp_path / "out.parquet"
    ok(pipeline("predict", f"model={EXPERIMENT}", f"input={table}", f"output={out}"))
    predicted = pq.read_table(out)
    assert predicted.num_rows == 240
    assert predicted.column_names == [
        "row",
        PREDICTION,
        *(f"probability_{name}" for name in ("Adélie", "Chin, strap", "Gentoo")),
    ]
    same = pipeline("drift", f"dataset={DATASET}", f"input={table}", "output=drift.json")
    assert f"{table}: no drift beyond 0.1 in 240 rows, against " in ok(same)
    wide = tmp_path / "wide.csv"
    wide.write_text(re.sub(r",([0-9.]+),(yes|no),", r",9\1,perhaps,", table.read_text()))
    done = pipeline("drift", f"dataset={DATASET}", f"input={wide}", "output=drift.json")
    assert (done.returncode, done.stderr) == (3, "")
    assert ": drift in bill mm, ringed beyond 0.1 in 240 rows" in done.stdout
    assert json.loads((checkout / "drift.json").read_text())["drift"] == ["bill mm", "ringed"]
    # in a process that knows nothing of this package
    command = [sys.executable, "-I", "-c", WITHOUT_PACKAGE + LOAD + SERVE, layout.tracking_uri, EXPERIMENT, str(table)]
    done = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[-2] == " ".join(predicted[PREDICTION].to_pylist())


# The tests run in an environment in which the package is installed: hide it as if it were not.
WITHOUT_PACKAGE = """
import sys


class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "pipeline":
            raise ModuleNotFoundError(name)


sys.meta_path.insert(0, Hidden())
"""


@pytest.mark.slow
def test_an_edit_of_the_file_is_noticed(table: Path, checkout: Path, pipeline: Run) -> None:
    resolved = checkout / "build" / "config" / "prepare" / f"{DATASET}.yaml"
    ok(pipeline("configure"))
    before = resolved.read_text()
    by_hand = ("train", f"experiment={EXPERIMENT}", "trainer.epochs=1")
    ok(pipeline(*by_hand))
    ok(pipeline(*by_hand))
    assert len(list(checkout.glob("runs/data/birds-*/"))) == 1
    table.write_text(csv(241))
    ok(pipeline("configure"))
    assert resolved.read_text() != before, "so DVC runs prepare again"
    ok(pipeline(*by_hand))
    assert len(list(checkout.glob("runs/data/birds-*/"))) == 2, "so does a run by hand"
    assert len(list(checkout.glob(f"runs/{EXPERIMENT}-*"))) == 2
    elsewhere = checkout / "birds.csv"
    table.rename(elsewhere)
    assert line_of(pipeline("configure")) == "error: data/raw/birds.csv: not found."
    yaml = checkout / "conf" / "dataset" / f"{DATASET}.yaml"
    yaml.write_text(YAML.replace("data/raw/birds.csv", "birds.csv"))
    assert "birds: DVC does not notice when birds.csv changes" in ok(pipeline("configure"))


def test_a_column_that_holds_the_answer_is_refused(table: Path, checkout: Path, pipeline: Run) -> None:
    table.write_text(re.sub(r", [0-9]!", "", csv(240, leak=True)))
    assert line_of(pipeline("prepare", f"dataset={DATASET}")) == (
        "error: dataset birds: each value of 'note' has one value of 'species' only, as if it were made from it. Leave "
        "it out, or set leakage: accept."
    )
    assert not (checkout / "data" / "prepared" / DATASET).exists()
    ok(pipeline("prepare", f"dataset={DATASET}", "dataset.leakage=accept"))


def test_labels_that_a_person_takes_for_the_same_are_refused(table: Path, pipeline: Run) -> None:
    table.write_text(csv(240).replace('"Adélie"', '"adélie "', 1))
    assert line_of(pipeline("prepare", f"dataset={DATASET}")) == (
        "error: dataset birds: column 'species' holds the classes 'Adélie' and 'adélie ', which differ by blanks, case "
        "or Unicode form alone. Write them the same way."
    )


def test_groups_stay_together_and_time_goes_on(table: Path, checkout: Path, pipeline: Run) -> None:
    yaml = checkout / "conf" / "dataset" / f"{DATASET}.yaml"
    yaml.write_text(YAML.replace("task:", "on_bad_row: skip\nsplit: time\ntime: seen\ngroup: bill mm\ntask:"))
    ok(pipeline("prepare", f"dataset={DATASET}"))
    folder = checkout / "data" / "prepared" / DATASET
    tables = {name: pq.read_table(folder / f"{name}.parquet") for name in ("train", "validation", "test")}
    assert all("seen" not in found.column_names and "bill mm" not in found.column_names for found in tables.values())
    assert sum(found.num_rows for found in tables.values()) == 240 - len(range(0, 240, 13)), "NA is in no group"
