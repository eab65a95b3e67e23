"""Pictures depend on what is drawn alone, whatever a class is called."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipeline.data.prepared import Split
from pipeline.data.schema import Schema
from pipeline.evaluation.plots import MOST_POINTS, write_plots

ODD = ["$a$b", "<b>&", "文字", "Ü" * 40, "100%"]


@pytest.mark.parametrize("task", ["regression", "multiclass"])
def test_the_same_bytes_again(task: str, tmp_path: Path) -> None:
    classes = [] if task == "regression" else ODD
    rows = 3 * MOST_POINTS
    random = np.random.default_rng(0)
    target = random.normal(size=rows) if task == "regression" else np.arange(rows) % len(ODD)
    predicted = target + 0.1 if task == "regression" else random.random((rows, len(ODD)))
    test = Split(np.array([str(i) for i in range(rows)]), pa.table({}), target)
    metric = "mae" if task == "regression" else "accuracy"
    names = ("loss", metric, "val_loss", f"val_{metric}", "learning_rate")
    history = [{"epoch": float(i), **dict.fromkeys(names, 1 / i)} for i in (1, 2, 3)]
    for name in ("first", "second"):
        schema = Schema("made", task, "hash", [], "target", classes)
        write_plots(tmp_path / name, "team/small", schema, history, test, predicted)
    second = "residuals.svg" if task == "regression" else "confusion.svg"
    assert sorted(path.name for path in (tmp_path / "first").iterdir()) == sorted(["history.svg", second])
    for path in (tmp_path / "first").iterdir():
        assert path.read_bytes() == (tmp_path / "second" / path.name).read_bytes()
        text = "".join(ElementTree.fromstring(path.read_bytes()).itertext())
        assert all(name in text for name in classes if path.name == "confusion.svg")
        assert path.stat().st_size < 400_000, "of many rows, some are drawn"
