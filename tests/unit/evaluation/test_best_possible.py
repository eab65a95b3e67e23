"""What no model can exceed, from the source to the tables that a person reads."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.config import EvaluationConfig, PrepareConfig, SplitConfig
from pipeline.data.prepared import best_possible
from pipeline.data.sources import SOURCES
from pipeline.data.sources.inline import InlineDataset
from pipeline.data.writing import write_prepared
from pipeline.evaluate import summary
from pipeline.evaluation.report import build_report
from pipeline.register import table
from tests.made import number, split_of
from tests.unit.evaluation.test_reference import schema_of

BEST = {"r2": 0.98}


def test_a_source_says_it_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = InlineDataset("line", "inline", "regression", "none", columns=["x", "y"], rows=[[1, 2], [2, 4], [3, 7]])
    config = PrepareConfig(SplitConfig(1, 0.2, 0.1), dataset)
    for known in ({}, BEST):
        monkeypatch.setitem(SOURCES, "inline", replace(SOURCES["inline"], best_possible=lambda _, known=known: known))
        write_prepared(config, tmp_path, tmp_path)
        assert best_possible(tmp_path) == known


@pytest.mark.parametrize("known", [{}, BEST])
def test_it_stands_beside_the_score(known: dict[str, float]) -> None:
    x = np.random.default_rng(3).normal(size=50)
    rows, schema = split_of({"x": x}, 2 * x), schema_of([number("x")])
    report = build_report("made", EvaluationConfig(100), schema, rows, rows.target, rows, 2 * x, known)
    assert ("best_possible" in report) == bool(known)
    assert summary(report).endswith(", best possible 0.9800") == bool(known)


def test_the_table_has_a_column_where_it_is_known() -> None:
    rows = [
        ["a", "r2", "0.5", "0.4", "", "champion", "1", "first"],
        ["b", "r2", "0.9", "0.4", "0.98", "kept", "2", "-"],
    ]
    assert "best possible" not in table(rows[:1])
    assert [line.split()[4] for line in table(rows).splitlines()[1:]] == ["champion", "0.98"]
