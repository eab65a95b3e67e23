"""Test rows that stand in files of their own stay the test rows, and validation's are dealt out of the others."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipeline.config import PrepareConfig, SplitConfig
from pipeline.data.sources.table import SOURCE
from pipeline.data.writing import write_prepared
from pipeline.errors import ConfigError, DataError
from tests.unit.data.test_table_source import dataset

SPLIT = SplitConfig(seed=1, test=0.2, validation=0.25)
FILES = {"path": "train*.csv", "test_path": "test.csv", "split": "given", "leakage": "accept"}
SPLITS = ("train", "validation", "test")


def rows(start: int, end: int) -> str:
    return "x,kind,y\n" + "".join(f"{i // 2},{'ab'[i // 2 % 2]},{i // 2}\n" for i in range(start, end))


def prepared(root: Path, **settings: Any) -> dict[str, list[float]]:
    """The values of x in each split."""
    folder = root / "prepared"
    folder.mkdir(exist_ok=True)
    write_prepared(PrepareConfig(SPLIT, dataset(**{**FILES, **settings})), folder, root)
    return {name: pq.read_table(folder / f"{name}.parquet")["x"].to_pylist() for name in SPLITS}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "train1.csv").write_text(rows(0, 100))
    (tmp_path / "train2.csv").write_text(rows(100, 200))
    (tmp_path / "test.csv").write_text(rows(1000, 1010))
    return tmp_path


def test_validation_is_dealt_out_of_the_training_rows(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = prepared(root)
    assert capsys.readouterr().out == (
        "tabled: no row is given for validation, so 0.25 of the training rows are, by hash\n"
        "tabled: 105 rows have the features of an earlier row\n"
    )
    assert found["test"] == [i // 2 for i in range(1000, 1010)]
    assert sorted(found["train"] + found["validation"]) == [i // 2 for i in range(200)]
    # four standard deviations of a binomial share of 100 pairs of equal features
    assert abs(len(set(found["validation"])) / 100 - 0.25) < 4 * (0.25 * 0.75 / 100) ** 0.5
    (root / "train3.csv").write_text(rows(200, 300))
    more = prepared(root)
    assert set(found["validation"]) == set(more["validation"]) & set(range(100)), "added rows move no other"


@pytest.mark.parametrize("folder", ["", "late/"])
def test_validation_in_files_of_its_own(root: Path, folder: str) -> None:
    (root / "late").mkdir()
    (root / f"{folder}dev.csv").write_text("y,kind,x\n1,a,500\n2,b,501\n")
    found = prepared(root, validation_path=folder or ["dev.csv"])
    assert found["validation"] == [500, 501]
    assert found["train"] == [i // 2 for i in range(200)]
    config = dataset(**FILES, validation_path=f"{folder}dev.csv")
    names = ["train1.csv", "train2.csv", f"{folder}dev.csv", "test.csv"]
    assert [file.relative_to(root).as_posix() for file in SOURCE.files(config, root)] == names


def test_test_rows_that_are_known_are_counted(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "test.csv").write_text(rows(196, 203))
    assert prepared(root)["test"] == [98, 98, 99, 99, 100, 100, 101]
    assert capsys.readouterr().out.splitlines()[2] == (
        "tabled: 4 test rows have the features of a row for training or validation. The split stays as it is given."
    )


def test_a_column_may_leave_validation_out(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [f"{i},a,{i},{'test' if i % 5 == 0 else 'train'}" for i in range(199)] + ["199,b,1,train"]
    (root / "t.csv").write_text("\n".join(["x,kind,y,part", *lines]))
    found = prepared(root, path="t.csv", test_path=None, fold="part")
    assert found["test"] == [i for i in range(199) if i % 5 == 0]
    assert 10 < len(found["validation"]) < 70
    assert capsys.readouterr().out.startswith("tabled: no row is given for validation, so 0.25 of")


SKIP = "Set on_bad_row: skip to leave such rows out."


@pytest.mark.parametrize(
    ("files", "settings", "text"),
    [
        ({}, {"test_path": "tests.csv"}, "tests.csv: not found."),
        ({}, {"path": "*.csv"}, "test.csv: found in path and in test_path, expected each file once."),
        ({}, {"path": "test.csv", "test_path": "train*"}, None),
        (
            {"test.csv": "x,kind\n1,a\n"},
            {},
            "test.csv: its columns are not those of train1.csv: it lacks 'y'. Expected the same columns in all files.",
        ),
        ({"test.csv": "x,kind,y\n"}, {}, "dataset tabled, test_path: no rows, expected one or more."),
        (
            {"test.csv": "x,kind,y\n1,?,1\n2,a\n"},
            {},
            "dataset tabled: column 'kind': 1 value is not a category (row 1 of test.csv: '?'). Write missing: ['?'] "
            "if it stands for a missing value, or name all values of the column. 1 row cannot be read (row 2 of "
            f"test.csv: found 2 fields, expected 3). {SKIP}",
        ),
        (
            {"test.csv": "x,kind,y\n1,?,1\n2,a\n"},
            {"on_bad_row": "skip"},
            "dataset tabled, test_path: no rows: skipped 2 of 202 rows (refused in kind: 1, not readable: 1), expected "
            "one or more.",
        ),
        ({"test.tsv": ""}, {"test_path": "test.tsv"}, "test.tsv: found tsv, and train1.csv is csv; expected one."),
    ],
)  # fmt: skip
def test_files_that_are_refused(root: Path, files: dict[str, str], settings: dict[str, Any], text: str | None) -> None:
    for name, content in files.items():
        (root / name).write_text(content)
    if text is None:
        assert prepared(root, **settings)["test"] == [i // 2 for i in range(200)]
        return
    with pytest.raises(DataError) as caught:
        prepared(root, **settings)
    assert str(caught.value).startswith(text)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"split": "hash"}, "dataset.test_path: found 'test.csv', expected nothing unless split: given."),
        ({"test_path": None}, "dataset.fold: found None, expected the name of a column with split: given."),
        ({"fold": "f"}, "dataset.fold: found 'f', expected nothing where test rows have files of their own."),
        ({"test_path": []}, "dataset.test_path: found [], expected a file, a glob or a folder, or a list of these."),
        (
            {"test_path": None, "fold": "f", "validation_path": "v.csv"},
            "dataset.validation_path: found 'v.csv', expected nothing without test_path.",
        ),
        ({"group": "kind"}, "dataset.group: found 'kind', expected split: hash or time."),
    ],
)
def test_settings_that_make_no_sense(settings: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        dataset(**{**FILES, **settings})
    assert str(caught.value) == text
