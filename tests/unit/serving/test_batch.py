"""Predictions are written whole, or not at all where an answer is no finite number."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv
import pytest

from pipeline.data import prepared
from pipeline.data.prepared import ROW
from pipeline.data.schema import Schema
from pipeline.errors import DataError
from pipeline.serving import batch
from tests.made import number

SCHEMA = Schema("made", "regression", "hash", [], "y", [])


def predict(served: object, schema: Schema, rows: pa.Table) -> dict[str, np.ndarray]:
    return {"prediction": rows["x"].to_numpy().astype(np.float32)}


def answers(name: str, values: list[float]) -> batch.Answers:
    """The answers to rows that come two at a time, of which the i-th is named after i."""
    names = [f"{'abc'[i // 26]}{i}" for i in range(len(values))]
    parts = [(pa.table({name: names[i : i + 2]}), pa.table({"x": values[i : i + 2]})) for i in range(0, len(values), 2)]
    return batch.Answers(None, SCHEMA, parts, "rows.csv")  # type: ignore[arg-type]


def test_large_rows_go_through_a_model_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """As they do in training: what stands between layers takes many times what the rows do."""
    sizes = []

    class Served:
        def predict_on_batch(self, inputs: dict[str, np.ndarray]) -> np.ndarray:
            sizes.append(len(inputs["x"]))
            return inputs["x"].reshape(-1, 1)

    monkeypatch.setattr(batch, "as_tensors", lambda arrays: arrays)
    monkeypatch.setattr(batch, "collate", lambda schema, rows: {"x": rows["x"].to_numpy()})
    monkeypatch.setattr(prepared, "CHUNK_BYTES", 16)
    schema = Schema("made", "regression", "hash", [number("x")], "y", [])
    found = batch.predict(Served(), schema, pa.table({"x": [1.0, 2.0, 3.0]}))  # type: ignore[arg-type]
    assert (sizes, found["prediction"].tolist()) == ([2, 1], [1.0, 2.0, 3.0])


def test_rows_without_an_answer_are_named_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "predict", predict)
    path = tmp_path / "out.csv"
    good = answers(ROW, [1.0, 2.0, 3.0])
    batch.write_predictions(path, good)
    assert (good.num_rows, pcsv.read_csv(path)["prediction"].to_pylist()) == (3, [1.0, 2.0, 3.0])
    path.unlink()
    for name, values, expected in (
        (ROW, [1.0, np.nan, 3.0, -np.inf], "2 rows have no finite answer (row 2; row 4)"),
        ("file", [1.0, 2.0, np.inf], "1 row has no finite answer (a2)"),
        (ROW, [np.nan] * 11, "11 rows have no finite answer (row 1; "),
    ):
        with pytest.raises(DataError) as caught:
            batch.write_predictions(path, answers(name, values))
        assert str(caught.value).startswith(f"rows.csv: {expected}")
        assert str(caught.value).endswith("), because values are too large. Mend or leave out.")
    assert list(tmp_path.iterdir()) == []
