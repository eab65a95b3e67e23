"""`inspect` says what is in a table, and what it writes is accepted by `configure` and `prepare`."""

import datetime
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline import configure, inspect
from pipeline.arguments import from_arguments
from pipeline.compose import compose_config
from pipeline.config import InspectConfig
from pipeline.errors import PipelineError
from pipeline.inspecting import files as inspected_files
from pipeline.inspecting.numbers import numbers_of
from pipeline.inspecting.params_text import with_dataset
from pipeline.inspecting.yaml_text import OF_CLASSES, OF_NUMBERS, FirstModel, dataset_of
from pipeline.layout import Layout
from pipeline.prepare import prepare
from tests.clones import ROOT

KINDS = ("Ann", "Bob", "Cem", "Dan", "Eva")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout, as far as configure and prepare need it."""
    for name in ("params.yaml", "dvc.yaml", "requirements.lock"):
        shutil.copy2(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "conf", tmp_path / "conf")
    params = (tmp_path / "params.yaml").read_text()
    few_rows = params.replace("test: 0.2", "test: 0.3").replace("validation: 0.1", "validation: 0.3")
    (tmp_path / "params.yaml").write_text(few_rows)
    (tmp_path / "src").symlink_to(ROOT / "src")
    (tmp_path / "data" / "raw").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files_of(root: Path) -> dict[str, bytes]:
    found = (path for name in ("conf", "data", "params.yaml") for path in (root / name, *(root / name).rglob("*")))
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in found if path.is_file()}


class Inspect:
    """Writes data/raw/t.csv, calls the command, and holds what it printed."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.root, self.monkeypatch, self.capsys = root, monkeypatch, capsys

    def __call__(
        self, content: str | bytes | None = None, *, name: str = "t.csv", target: str = "y", **more: str
    ) -> str:
        path = self.root / "data" / "raw" / name
        if content is not None:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        arguments = {"path": f"data/raw/{name}", "target": target, **more}
        self.capsys.readouterr()
        inspect.inspect(from_arguments(InspectConfig, [f"{key}={value}" for key, value in arguments.items()]))
        return self.capsys.readouterr().out

    def refusal(self, content: str | bytes | None = None, **more: str) -> str:
        with pytest.raises(PipelineError) as caught:
            self(content, **more)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    def row(self, column: str, *args: Any, **more: str) -> str:
        """What is printed of a column, with one blank between the cells."""
        (line,) = [line for line in self(*args, **more).splitlines() if line.startswith(f"{column} ")]
        return " ".join(line.split())


@pytest.fixture
def look(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Inspect:
    return Inspect(root, monkeypatch, capsys)


def table(**columns: list[object]) -> str:
    """A CSV file with these columns and a target y of two classes, which no column determines."""
    names, rows = list(columns), len(next(iter(columns.values())))
    lines = [",".join([*names, "y"])]
    for i in range(rows):
        lines.append(",".join([*(str(columns[name][i]) for name in names), "ab"[(i * i // 7 + i) % 2]]))
    return "\n".join(lines) + "\n"


ROWS = 120
MADE = table(
    size=[f"{i % 23 + 0.5}" if i % 12 else "NA" for i in range(ROWS)],
    kind=[KINDS[i % 5] for i in range(ROWS)],
    id=list(range(ROWS)),
)


def test_all_that_is_printed(look: Inspect) -> None:
    assert look(MADE) == (
        'data/raw/t.csv: csv, utf-8, separator comma, quotes ", a header, 120 rows, 4 columns\n\n'
        "column  type      missing  distinct  range or examples   remarks\n"
        "size    number    10       23        0.5 to 22.5         numbers but 1 text: NA\n"
        "kind    category  0        5         Ann, Bob, Cem, ...\n"
        "id      number    0        120       0 to 119            unique in each row: an id?\n"
        "y       category  0        2         a, b                the target\n\n"
        "# python -m pipeline.inspect path=data/raw/t.csv target=y\n"
        "# proposed this from all rows. Nothing is guessed again later.\n"
        "defaults:\n  - table_schema\n\n"
        "path: data/raw/t.csv\ntask: binary\ntarget: y\ncolumns:\n"
        "  size: {type: number, missing: [NA]}\n  kind: category\n"
        "# left out:\n#   id: unique in each row: an id?\n"
    )


def test_nothing_is_written_unasked(look: Inspect, root: Path) -> None:
    before = files_of(root)
    look(MADE)
    assert set(files_of(root)) - set(before) == {"data/raw/t.csv"}


N = 40
DAYS = [datetime.date(2020, 1, 1) + datetime.timedelta(days=i) for i in range(N)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([i * 3 for i in range(N)], "number 0 40 0 to 117 unique in each row: an id?"),
        ([f"u{i}" for i in range(N)], "category 0 40 u0, u1, u2, ... unique in each row: an id?"),
        ([i + 0.5 for i in range(N)], "number 0 40 0.5 to 39.5"),
        ([f"u{i % 30}" for i in range(N)], "category 0 30 u0, u1, u2, ... 30 values in 40 rows: an id?"),
        (["k"] * N, "category 0 1 k one value only"),
        ([""] * N, "category 40 0 no value in any row"),
        (["k", ""] * 20, "category 20 1 k one value beside the missing ones"),
        (["?", "NA", "-", *range(N - 3)], "number 3 37 0 to 36 numbers but 3 texts: -, ?, NA"),
        (["", *[i / 2 for i in range(N - 1)]], "number 1 39 0 to 19"),
        (
            ["broken", *[i / 2 for i in range(N - 1)]],
            "number 1 39 0 to 19 numbers but 1 text: broken; broken taken for missing",
        ),
        ([i % 4 for i in range(N)], "number 0 4 0 to 3 4 whole numbers: codes of categories?"),
        ([f"0{i % 12}" for i in range(N)], "category 0 12 00, 01, 02, ... leading zeros: codes, not numbers"),
        (["yes", "No"] * 20, "boolean 0 2 yes, No"),
        (
            ["Bob", "bob ", "Eve", "Ann"] * 10,
            "category 0 4 Bob, 'bob ', Eve, ... 'bob ' differs from 'Bob' by case or blanks alone",
        ),
        (DAYS, "date 0 40 2020-01-01 to 2020-02-09"),
        ([f"{day:%d.%m.%Y}" for day in DAYS], "date 0 40 2020-01-01 to 2020-02-09"),
        ([f"{day:%m/%d/%Y}" for day in DAYS], "date 0 40 2020-01-01 to 2020-02-09"),
        ([f"{day:%d/%m/%Y}" for day in DAYS], "date 0 40 2020-01-01 to 2020-02-09"),
        ([f"{day}T12:30" for day in DAYS], "datetime 0 40 2020-01-01 12:30:00 to 2020-02-09 12:30:00"),
        ([f"{day}T12:30:00+01:00" for day in DAYS], "datetime 0 40 2020-01-01 11:30:00 to 2020-02-09 11:30:00"),
        (
            [f"{day:%d.%m.%Y}" if i % 3 else f"{day}" for i, day in enumerate(DAYS)],
            "text 0 40 2020-01-01, 02.01.2020, 03.01.2020 a date in two formats: %d.%m.%Y and iso",
        ),
        (
            [f"01/{i % 12 + 1:02}/2020" for i in range(N)],
            "date 0 12 2020-01-01 to 2020-01-12 %m/%d/%Y or %d/%m/%Y? No day is after the 12th; taken for the first",
        ),
        ([f"row {i} is a text" for i in range(N)], "text 0 40 row 0 is a text"),
        ([2**60 + i for i in range(N)], f"category 0 40 {2**60}, {2**60 + 1}, 115... unique in each row: an id?"),
        ([f'"{i},5"' for i in range(N)], "number 0 40 0.5 to 39.5"),
        ([f"1 {i:03}.5" for i in range(N)], "number 0 40 1000.5 to 1039.5"),
        (
            [f'"{i + 1},250"' for i in range(N)],
            "number 0 40 1250 to 40250 1,250 may have thousands or decimals; taken for thousands; "
            "unique in each row: an id?",
        ),
    ],
)
def test_a_column_is_what_its_type_reads(look: Inspect, root: Path, values: list[object], expected: str) -> None:
    text = table(x=values, other=[i + 0.25 for i in range(N)])
    assert look.row("x", text) == f"x {expected}"
    look(write="made")
    layout = Layout(root)
    prepare(compose_config(layout, "prepare", ["dataset=made"]))
    assert (
        sum(json.loads((layout.prepared("made") / "summary.json").read_text())[s]["rows"] for s in ("train", "test"))
        < N
    )


def test_a_column_that_determines_the_target(look: Inspect) -> None:
    rows = [(KINDS[i % 3], KINDS[i % 5], i % 3) for i in range(60)]
    text = "a,b,y\n" + "".join(f"{a},{b},{y}\n" for a, b, y in rows)
    assert look.row("a", text) == "a category 0 3 Ann, Bob, Cem determines the target"
    nearly = text.replace("Ann,Ann,0", "Ann,Ann,1", 1)
    assert look.row("a", nearly) == "a category 0 3 Ann, Bob, Cem determines the target but for 1 row"


def test_rows_that_stand_twice_do_not_look_like_a_leak(look: Inspect) -> None:
    text = "".join(f"{i * i % 997}.25,{i * 7 % 31}.5\n" for i in range(60))
    assert "determines the target" not in look.row("x", "x,y\n" + text * 2)


def test_days_beyond_those_that_python_knows(look: Inspect, root: Path) -> None:
    days = pa.array([5_000_000 + i for i in range(60)], pa.int32()).cast(pa.date32())
    columns = {"when": days, "x": [i * i % 37 / 4 for i in range(60)], "y": [i * 7 % 31 + 0.5 for i in range(60)]}
    pq.write_table(pa.table(columns), root / "data" / "raw" / "t.parquet")
    assert "5000000 to 5000059" in look(name="t.parquet")


@pytest.mark.parametrize(
    ("model", "experiment"), [(OF_CLASSES, "logistic_breast_cancer"), (OF_NUMBERS, "linear_diabetes")]
)
def test_a_new_dataset_is_tried_with_settings_of_an_experiment_that_is_there(
    model: FirstModel, experiment: str
) -> None:
    text = (ROOT / "conf" / "experiment" / f"{experiment}.yaml").read_text()
    assert text.endswith(f"  - override /model: {model.family}\n\n{model.settings}")


def test_a_copy_of_the_target(look: Inspect) -> None:
    prices = [100 + i * i % 97 + i / 8 for i in range(60)]
    text = "euros,size,y\n" + "".join(
        f"{price * 0.93:.2f},{i * i % 31 / 4},{price}\n" for i, price in enumerate(prices)
    )
    assert look.row("euros", text).endswith("a copy of the target, or a factor times it plus a constant")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\xef\xbb\xbf" + MADE.encode(), ("utf-8 with a byte order mark", "")),
        (MADE.encode("utf-16"), ("utf-16", "encoding: utf-16\n")),
        (MADE.encode("utf-16-le"), ("utf-16-le", "encoding: utf-16-le\n")),
        (MADE.replace("Ann", "Änne").encode(), ("utf-8", "")),
        (MADE.replace("Ann", "Änne").encode("latin-1"), ("latin-1", "encoding: latin-1\n")),
        (MADE.replace("Ann", "5 €").encode("cp1252"), ("cp1252", "encoding: cp1252\n")),
        (MADE.replace(",", ";").encode(), ("separator semicolon", 'separator: ";"\n')),
        (MADE.replace(",", "\t").encode(), ("separator tab", 'separator: "\\t"\n')),
        (MADE.replace(",", "|").encode(), ("separator |", 'separator: "|"\n')),
        (MADE.replace("\n", "\r\n").encode(), ("a header", "")),
        (MADE.replace("Ann", '"Ann').encode(), ("no quotes", 'quote: ""\n')),
        (MADE.replace("Ann", '"Ann, ""A"""').encode(), ('quotes "', "")),
        (MADE.replace("Ann", '"Ann\nA"').encode(), ("line breaks in cells", "newlines: true\n")),
    ],
)
def test_how_a_file_is_written(look: Inspect, root: Path, content: bytes, expected: tuple[str, str]) -> None:
    printed = look(content, write="made")
    first, yaml = printed.partition("\n")[0], (root / "conf" / "dataset" / "made.yaml").read_text()
    assert expected[0] in first
    assert first.endswith("120 rows, 4 columns")
    settings = yaml[yaml.index("path: ") : yaml.index("task: ")].partition("\n")[2]
    assert settings == expected[1]
    prepare(compose_config(Layout(root), "prepare", ["dataset=made"]))


def test_no_header(look: Inspect, root: Path) -> None:
    printed = look(MADE.partition("\n")[2], target="column_4", write="made")
    assert "no header, 120 rows" in printed
    assert "header: false\ntask: binary\ntarget: column_4\n" in printed
    prepare(compose_config(Layout(root), "prepare", ["dataset=made"]))


def test_formats_with_types(look: Inspect, root: Path) -> None:
    n = 60
    columns = {
        "x": [None if i == 3 else i * 0.5 for i in range(n)],
        "big": [2**60 + i % 9 for i in range(n)],
        "when": [datetime.datetime(2024, 1, i % 25 + 1) for i in range(n)],
        "kind": pa.array([KINDS[i % 5] for i in range(n)]).dictionary_encode(),
        "list": [[1]] * n,
        "y": [i % 3 == 0 for i in range(n)],
    }
    pq.write_table(pa.table(columns), root / "data" / "raw" / "t.parquet")
    printed = look(name="t.parquet", write="made")
    assert printed.startswith("data/raw/t.parquet: parquet, 60 rows, 6 columns\n")
    assert "task: binary\ntarget: y\ncolumns:\n  x: number\n  when: datetime\n  kind: category\n" in printed
    assert "; 60 values that cannot be kept as a finite number\n" in printed
    assert "#   list: list<element: int64>, which no type takes\n" in printed
    prepare(compose_config(Layout(root), "prepare", ["dataset=made"]))
    lines = [json.dumps({"x": i * 1.5, "kind": KINDS[i % 5], "deep": {"a": 1}, "y": i * 2.5 + i % 3}) for i in range(n)]
    printed = look("\n".join(lines), name="t.jsonl", write="lines")
    assert "task: regression\ntarget: y\ncolumns:\n  x: number\n  kind: category\n" in printed
    assert "#   deep: lists or objects, which no type takes\n" in printed


def test_an_array_of_json(look: Inspect) -> None:
    text = look.refusal('[{"x": 1, "y": 2}]', name="t.jsonl")
    assert text.startswith("data/raw/t.jsonl: no line is an object of JSON. pandas writes such lines with to_json(")


def test_an_ending_that_says_nothing(look: Inspect) -> None:
    assert "path: data/raw/t.data\nformat: csv\n" in look(MADE, name="t.data")


def test_rows_that_cannot_be_used(look: Inspect, root: Path) -> None:
    text = MADE.replace(",a\n", ",NA\n", 2).replace(",b\n", ",b,b\n", 1)
    printed = look(text, write="made")
    assert "1 row cannot be read; row 2 of data/raw/t.csv: found 5 fields, expected 4\n" in printed
    assert "on_bad_row: skip  # 2 rows without 'y'; 1 row that cannot be read (row 2 of" in printed
    assert "  y: {type: category, missing: [NA]}\n" in printed
    prepare(compose_config(Layout(root), "prepare", ["dataset=made"]))


def test_large_files_are_looked_at_in_part(look: Inspect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspected_files, "MOST_ROWS", 25)
    printed = look(MADE)
    assert "a header, more than 25 rows, of which these were looked at, 4 columns" in printed
    assert "# proposed this from the first 25 rows. Nothing" in printed


@pytest.mark.parametrize(
    ("target", "task", "expected"),
    [
        ([i % 2 for i in range(N)], None, "binary"),
        ([i % 3 for i in range(N)], None, "multiclass"),
        ([i % 3 for i in range(N)], "regression", "regression"),
        ([i % 20 for i in range(N)], None, "regression"),
        ([i % 2 + 0.5 for i in range(N)], None, "regression"),
        ([i % 20 for i in range(N)], "multiclass", "multiclass"),
        (["yes", "no"] * 20, None, "binary"),
        (["yes", "no"] * 20, "multiclass", "multiclass"),
    ],
)
def test_the_task_follows_from_the_target(look: Inspect, target: list[object], task: str | None, expected: str) -> None:
    text = "x,y\n" + "".join(f"{i * i % 17 + 0.5},{y}\n" for i, y in enumerate(target))
    assert f"\ntask: {expected}\n" in look(text, **({"task": task} if task else {}))


ODD = [
    "km/h",
    "a b",
    "50%?",
    "c,d",
    "e[0]",
    "f\\g",
    "'q'",
    "=x",
    "#",
    "Ü文😀",
    "-lead",
    "yes",
    "1e5",
    "null",
    "a: b",
    "${x}",
]


def test_what_yaml_reads_is_what_was_meant(look: Inspect, root: Path) -> None:
    lines = [",".join(f'"{name}"' for name in [*ODD, "ta:rget"])]
    lines += [
        ",".join([*(str((i * k + k) % 17 + 0.5) for k in range(1, 17)), "ab"[(i * i // 7 + i) % 2]])
        for i in range(ROWS)
    ]
    look("\n".join(lines), target="ta:rget", write="odd")
    config = compose_config(Layout(root), "prepare", ["dataset=odd"]).dataset
    assert list(config.columns) == ODD
    assert config.target == "ta:rget"
    assert config == dataset_of((root / "conf" / "dataset" / "odd.yaml").read_text(), "odd") or config.types == [
        "number"
    ]


def test_what_is_written_is_configured_and_prepared(
    look: Inspect, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (root / "params.yaml").read_text()
    printed = look(MADE, write="made")
    assert printed.endswith(
        "\nwritten: conf/dataset/made.yaml, conf/experiment/logistic_made.yaml, and a line for each in params.yaml. "
        "Next: make repro EXPERIMENT=logistic_made\n"
    )
    assert (root / "conf" / "experiment" / "logistic_made.yaml").read_text() == (
        "# @package _global_\n# How well does a weighted sum of the columns tell the classes of y apart?\n"
        "#   make repro EXPERIMENT=logistic_made\n"
        "defaults:\n  - override /dataset: made\n  - override /model: logistic\n\n"
        "model:\n  l2: 0.001\ntrainer:\n  epochs: 100\n  optimizer:\n    learning_rate: 0.05\n    schedule: cosine\n"
    )
    after = before.replace("  - splice_synthetic\n", "  - splice_synthetic\n  - made\n")
    after = after.replace("  cnn_splice: splice_synthetic\n", "  cnn_splice: splice_synthetic\n  logistic_made: made\n")
    assert (root / "params.yaml").read_text() == after
    look(MADE.replace(",a\n", ",1.25\n").replace(",b\n", ",2.5\n").replace(",c\n", ",3.75\n"), write="other")
    configure.configure()
    assert capsys.readouterr().out == "configured 10 experiments on 8 datasets\n"
    prepare(compose_config(Layout(root), "prepare", ["dataset=made"]))
    assert capsys.readouterr().out.startswith("made: ")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("datasets: [a]\nexperiments: {x: a}  # all\n", "datasets: [a, d]\nexperiments: {x: a, e: d}  # all\n"),
        ("datasets: []\nexperiments: {}\n", "datasets: [d]\nexperiments: {e: d}\n"),
        ("datasets:\nexperiments:\n", "datasets:\n  - d\nexperiments:\n  e: d\n"),
        (
            "datasets:\n- a # one\n\n# two\nexperiments:\n    x: a",
            "datasets:\n- a # one\n- d\n\n# two\nexperiments:\n    x: a\n    e: d\n",
        ),
        ("datasets: [\n  a,\n]\nexperiments: {x: a}\n", "datasets: [\n  a, d]\nexperiments: {x: a, e: d}\n"),
    ],
)
def test_params_keep_how_they_are_written(before: str, after: str) -> None:
    assert with_dataset(before, "d", "e") == after


def test_names_that_are_taken(look: Inspect, root: Path) -> None:
    taken = "is there already. Remove it, or choose another name with write=."
    assert look.refusal(MADE, write="digits") == f"conf/dataset/digits.yaml: {taken}"
    (root / "conf" / "experiment" / "logistic_made.yaml").touch()
    before = files_of(root)
    assert look.refusal(write="made") == f"conf/experiment/logistic_made.yaml: {taken}"
    assert files_of(root) == before
    (root / "conf" / "dataset" / "diabetes.yaml").unlink()
    expected = "params.yaml: datasets names 'diabetes' already. Choose another name with write=."
    assert look.refusal(write="diabetes") == expected


def test_a_disk_that_fails_leaves_nothing(look: Inspect, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    look(MADE)
    before, replace = files_of(root), Path.replace

    def fail(self: Path, target: Path) -> Path:
        if target.name == "params.yaml":
            raise OSError("full")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="full"):
        look(write="made")
    assert files_of(root) == before


TWO = "found 5 values, expected two for task=binary. Use task=multiclass."
PLACES = "The first row looks like data, so columns are named by their place."
SAME = "the class 'a' differs from 'A ' by case or blanks alone. Write them the same way."
NAME = "letters, digits and _ . - (and / for folders), 200 at most, a letter or digit first"
USAGE = "Usage: path=... target=... [task=...] [write=...]"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"name": "none.csv"}, "data/raw/none.csv: not found."),
        ({"target": "kinds"}, "data/raw/t.csv: there is no column 'kinds' (size, kind, id, y). Did you mean 'kind'?"),
        ({"tsk": "binary"}, f"'tsk' is unknown (path, target, task, write). Did you mean 'task'? {USAGE}"),
        ({"target": ""}, f"target missing. {USAGE}"),
        ({"write": "../x"}, f"write: found '../x', expected {NAME}."),
        ({"write": "a/b"}, "write: found 'a/b', expected a name without a folder."),
        ({"write": "my_schema"}, "write: found 'my_schema', expected a name that does not end with _schema."),
        ({"task": "cluster"}, "task: 'cluster' is unknown (regression, binary, multiclass)."),
        ({"task": "regression"}, "target 'y': found category (a, b), expected numbers for task=regression."),
        ({"task": "binary", "target": "kind"}, f"target 'kind': {TWO}"),
    ],
)  # fmt: skip
def test_arguments_that_are_refused(look: Inspect, arguments: dict[str, str], expected: str, root: Path) -> None:
    (root / "data" / "raw" / "t.csv").write_text(MADE)
    assert look.refusal(**arguments) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "data/raw/t.csv: empty, expected rows."),
        ("x,y\n", "data/raw/t.csv: no rows, expected one or more."),
        ("x,y,y\n1,2,3\n", "data/raw/t.csv: 2 columns are named 'y', expected one. Rename the others."),
        ("1,2\n3,4\n", f"data/raw/t.csv: there is no column 'y' (column_1, column_2). {PLACES}"),
        ("x,y\n1,a\n2,a\n", "target 'y': found one value only, expected two values or more."),
        ("x,y\n1,\n2,\n", "target 'y': found no value in any row, expected two values or more."),
        ("x,y\n1,2020-01-01\n2,2020-01-02\n", "target 'y': found date, expected classes or numbers."),
        ("x,y\n1,a\n1,b\n", "data/raw/t.csv: no column is left to learn from ('x': one value only)."),
        ("y\na\nb\n", "data/raw/t.csv: no column is left to learn from (there is no other column)."),
        (MADE.replace(",a\n", ",A \n", 3).replace(",b\n", ",a\n"), f"target 'y': {SAME}"),
        ("x,y\n1,2,a\n2,3,b\n", "data/raw/t.csv: none of its 2 rows can be read (row 1 of data/raw/t.csv: found 3 "
         "fields, expected 2), expected one or more."),
        (b"PK\x03\x04", "data/raw/t.csv: found a zip or Excel file, expected text. Save it as CSV."),
    ],
)  # fmt: skip
def test_files_that_are_refused(look: Inspect, content: str | bytes, expected: str) -> None:
    assert look.refusal(content) == expected


PAGE = ROOT / "docs" / "data.md"


def test_the_page_shows_what_is_printed(look: Inspect, root: Path) -> None:
    """Its commands but the last one; tests/end_to_end/test_documents.py runs all of them."""
    make_table, *_ = re.findall(r"^python -c .*$", PAGE.read_text(), re.MULTILINE)
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    subprocess.run(["bash", "-c", make_table], cwd=root, env=environment, check=True)
    assert f"```text\n{look(name='fruit.csv', target='kind')}```\n" in PAGE.read_text()
    look(name="fruit.csv", target="kind", write="fruit")
    configure.configure()
    prepare(compose_config(Layout(root), "prepare", ["dataset=fruit"]))


def test_the_yaml_of_the_page_is_a_dataset() -> None:
    first, downloads, files, roles = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert dataset_of(first, "penguins").columns["hatched"] == {"type": "date", "format": "%d.%m.%Y"}
    assert dataset_of(first.replace("path: data/raw/penguins.csv\n", files), "penguins").has_test_files
    fetched = dataset_of(first.replace("path: data/raw/penguins.csv\n", downloads), "penguins")
    assert list(fetched.downloads) == ["penguins/penguins.csv"]
    whole = first.partition("columns:")[0] + roles
    assert dataset_of(whole, "penguins").group == "patient"


def test_an_odd_way_of_writing_that_comes_late() -> None:
    plain = [str(i + 0.5) for i in range(9000)]
    texts = pa.array([*plain[:8999], "1,234.5", *plain[8999:]])
    found = numbers_of(texts, np.ones(len(texts), np.int64))
    assert found is not None
    assert (found.column.thousands, found.strays) == (",", [])


def test_as_a_process(root: Path) -> None:
    """Python's own `inspect` stays what it is, and neither TensorFlow nor MLflow is imported."""
    (root / "data" / "raw" / "t.csv").write_text(MADE)
    code = (
        "import runpy, sys, atexit\n"
        "atexit.register(lambda: print(sorted({'tensorflow', 'keras', 'mlflow'} & set(sys.modules))))\n"
        "import pipeline.cli; pipeline.cli.exit_lean = sys.exit\n"
        "runpy.run_module('pipeline.inspect', run_name='__main__')\n"
    )
    env = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    for target, code_expected in (("y", 0), ("z", 2)):
        command = [sys.executable, "-c", code, "path=data/raw/t.csv", f"target={target}"]
        done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == code_expected, done.stderr
        assert done.stdout.splitlines()[-1] == "[]"
    assert done.stderr.startswith("error: data/raw/t.csv: there is no column 'z'")
