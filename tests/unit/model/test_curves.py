"""The choices of number columns, beside scikit-learn's, in a model that has been saved and loaded."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.preprocessing import RobustScaler

from pipeline.config import PreprocessingConfig
from pipeline.data.prepared import Split
from pipeline.data.schema import Column, Schema
from pipeline.data.types.number import NumberColumn
from pipeline.model.inputs import number
from pipeline.serving.archive import load_served, save_canonical
from tests.made import inputs_of, preprocessing

ROWS = 1000
VALUES = np.random.default_rng(0).lognormal(3, 2, ROWS) * np.where(np.arange(ROWS) % 5, 1, -1)


def rows_of(schema: Schema, values: np.ndarray) -> Split:
    """The same values in each column; NaN is a missing one, and where none may be missing it is 0."""
    table = {
        column.name: pa.array(values, mask=np.isnan(values)) if column.nullable else pa.array(np.nan_to_num(values))
        for column in schema.features
    }
    return Split(np.array([f"{i:x}" for i in range(len(values))]), pa.table(table), np.zeros(len(values)))


def features(
    columns: list[Column], train: np.ndarray, asked: np.ndarray, folder: Path, standardize: bool = True
) -> np.ndarray:
    """The features (B, D) of a model that has learned from `train`, after it was saved and loaded."""
    schema = Schema("made", "regression", "hash", columns, "target", [])
    model = preprocessing(schema, rows_of(schema, train), PreprocessingConfig(standardize=standardize))
    save_canonical(model, schema, folder / "model.keras")
    inputs = inputs_of(schema, rows_of(schema, asked))
    found = np.asarray(load_served(folder / "model.keras")(inputs))
    np.testing.assert_array_equal(found, np.asarray(model(inputs)))
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    return found


def column(name: str, nullable: bool = False, **options: Any) -> Column:
    return Column(name, NumberColumn("number", **options), nullable)


def standard(values: np.ndarray) -> np.ndarray:
    return (values - values.mean()) / values.std()


def test_each_choice_is_what_it_says(tmp_path: Path) -> None:
    low, high = np.quantile(VALUES, [0.1, 0.9])
    expected = {
        "standard": ({}, standard(VALUES)),
        "log": ({"scale": "log"}, standard(np.sign(VALUES) * np.log1p(np.abs(VALUES)))),
        "robust": ({"scale": "robust"}, RobustScaler().fit_transform(VALUES[:, np.newaxis])[:, 0]),
        "rank": ({"scale": "quantile"}, standard(np.argsort(np.argsort(VALUES)).astype(float))),
        "clip": ({"clip": 0.1}, standard(np.clip(VALUES, low, high))),
        "both": ({"clip": 0.1, "scale": "quantile"}, None),
    }
    columns = [column(name, **options) for name, (options, _) in expected.items()]
    found = dict(zip(expected, features(columns, VALUES, VALUES, tmp_path).T, strict=True))
    for name, (_, values) in expected.items():
        if values is not None:
            np.testing.assert_allclose(found[name], values, atol=0.04 if name == "rank" else 1e-5, err_msg=name)
    order = np.argsort(VALUES)
    assert (np.diff(found["rank"][order]) > 0).all(), "a larger value has a larger rank"
    assert len(np.unique(found["both"])) == pytest.approx(0.8 * ROWS, abs=3)
    unseen = features(columns, VALUES, np.array([-1e30, 1e30, VALUES.max()]), tmp_path)
    ends = dict(zip(expected, unseen.T, strict=True))
    for name in ("rank", "clip", "both"):
        assert ends[name][0] == found[name].min()
        assert ends[name][1] == ends[name][2] == found[name].max()


@pytest.mark.parametrize("scale", ["standard", "log", "robust", "quantile"])
def test_a_missing_value_is_the_middle_and_has_a_flag(scale: str, tmp_path: Path) -> None:
    values = VALUES.copy()
    values[::7] = np.nan
    columns = [column("x", nullable=True, scale=scale, clip=0.01), column("other", nullable=True)]
    x, _, flag, _ = features(columns, values, np.array([np.nan, 3.0]), tmp_path).T
    assert x[0] == pytest.approx(0, abs=1e-6)
    assert flag[0] > 0 > flag[1]


def test_without_standardising_only_the_last_step_is_left_out(tmp_path: Path) -> None:
    scales = ("standard", "log", "robust", "quantile")
    columns = [column(scale, scale=scale) for scale in scales]
    asked = np.array([np.median(VALUES), VALUES.max()])
    found = features(columns, VALUES, asked, tmp_path, standardize=False)
    expected = [asked, np.log1p(asked), asked, [0.5, 1.0]]
    np.testing.assert_allclose(found.T, np.array(expected), rtol=1e-5)


@pytest.mark.parametrize("scale", ["log", "robust", "quantile"])
def test_values_without_a_spread(scale: str, tmp_path: Path) -> None:
    """A constant column is centred; one in which a single value differs still tells it apart."""
    columns = [column("x", scale=scale, clip=0.01), column("y", scale=scale)]
    constant, few = np.full(ROWS, 3.0), np.where(np.arange(ROWS) < 20, 5.0, 3.0)
    np.testing.assert_array_equal(features(columns, constant, constant[:2], tmp_path), np.zeros((2, 2)))
    assert (np.diff(features(columns, few, np.array([3.0, 5.0]), tmp_path), axis=0) > 1).all()


def test_quantiles_of_many_rows_are_those_of_rows_among_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(number, "MOST_SAMPLED", 100)
    columns = [column("x", scale="robust")]
    found = features(columns, VALUES, VALUES, tmp_path)
    np.testing.assert_allclose(
        found, RobustScaler().fit(VALUES[::10, np.newaxis]).transform(VALUES[:, np.newaxis]), 1e-5
    )
