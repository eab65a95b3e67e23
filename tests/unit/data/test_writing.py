"""From a source's batches to splits: nothing depends on how many rows a source gives at a time."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.config import DatasetConfig, PrepareConfig, SplitConfig
from pipeline.data import collected, digest_file, prepared, remarks
from pipeline.data.schema import Column
from pipeline.data.sources import SOURCES
from pipeline.data.sources.source import Columns, Source, target_column
from pipeline.data.types.category import CategoryColumn
from pipeline.data.types.number import NumberColumn
from pipeline.data.writing import write_prepared
from pipeline.errors import DataError
from pipeline.layout import MANIFEST, SPLITS, split_file

ROWS = 3000


def rows() -> dict[str, pa.Array]:
    """Two columns that repeat, so that many rows have the same features but other targets, and one with gaps."""
    random = np.random.default_rng(0)
    gaps = pa.array(random.integers(0, 4, ROWS), mask=random.random(ROWS) < 0.2)
    return {
        "a": pa.array(random.integers(0, 20, ROWS).astype(float)),
        "b": gaps.cast(pa.float64()),
        "c": pa.array(np.array(["x", "y", "z"])[random.integers(0, 3, ROWS)]),
        "y": pa.array(np.array(["no", "yes"])[random.integers(0, 2, ROWS)]),
    }


def prepare(folder: Path, monkeypatch: pytest.MonkeyPatch, values: dict[str, pa.Array], size: int) -> Path:
    """Prepare these rows, of which a source gives so many at a time."""

    def batches(config: DatasetConfig, root: Path) -> Iterator[pa.RecordBatch]:
        batch = pa.RecordBatch.from_pydict(values)
        for start in range(0, batch.num_rows, size):
            yield batch.slice(start, size)

    def columns(config: DatasetConfig, root: Path) -> Columns:
        features = [
            Column(name, CategoryColumn("category") if pa.types.is_string(found.type) else NumberColumn("number"))
            for name, found in values.items()
            if name != "y"
        ]
        return Columns(features, target_column(config, "y"))

    monkeypatch.setitem(SOURCES, "made", Source(DatasetConfig, lambda config: ["number"], columns, batches))
    folder.mkdir()
    write_prepared(PrepareConfig(SplitConfig(1, 0.2, 0.1), DatasetConfig("made", "made", "binary")), folder, folder)
    return folder


def test_the_bits_do_not_depend_on_how_many_rows_are_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = prepare(tmp_path / "plain", monkeypatch, rows(), ROWS)
    said = capsys.readouterr().out
    for module, constant, value in ((digest_file, "SLICE", 64), (remarks, "MOST_ROWS", 50)):
        monkeypatch.setattr(module, constant, value)
    monkeypatch.setattr(collected, "chunk_rows", lambda storages: 17)
    other = prepare(tmp_path / "other", monkeypatch, rows(), 23)
    assert capsys.readouterr().out == said
    assert (other / MANIFEST).read_text() == (plain / MANIFEST).read_text()
    assert sorted(path.name for path in other.iterdir()) == sorted(path.name for path in plain.iterdir())


def test_rows_with_the_same_features_and_another_target_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(digest_file, "SLICE", 64)
    values = rows()
    prepare(tmp_path / "out", monkeypatch, values, 500)
    found = list(zip(*(column.to_pylist() for column in values.values()), strict=True))
    conflicts = len(set(found)) - len({row[:-1] for row in found})
    assert f"made: {conflicts} rows have the features of an earlier row, but another target" in capsys.readouterr().out


def test_each_row_is_in_one_split_in_the_order_of_the_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = rows() | {"a": pa.array(np.arange(ROWS, dtype=float))}
    folder = prepare(tmp_path / "out", monkeypatch, values, 700)
    tables = [pq.ParquetFile(folder / split_file(split)).read() for split in SPLITS]
    for table in tables:
        places = table["a"].to_numpy().astype(int)
        assert (np.diff(places) > 0).all()
        for name, found in (values | {"target": values["y"]}).items():
            assert name == "y" or table[name].combine_chunks().equals(found.take(pa.array(places)))
    assert sum(table.num_rows for table in tables) == ROWS
    groups = pq.ParquetFile(folder / split_file("train")).metadata
    assert [groups.row_group(i).num_rows for i in range(groups.num_row_groups)] == [tables[0].num_rows]
    assert tables[0].num_rows < prepared.CHUNK_ROWS


def leaking(distinct: int, wrong: int) -> dict[str, pa.Array]:
    """Rows of which a number tells the target, but for `wrong` rows at the end."""
    random = np.random.default_rng(1)
    values = random.permutation(np.arange(ROWS) % distinct).astype(float)
    told = (np.sin(values) > 0) ^ (np.arange(ROWS) >= ROWS - wrong)
    return {
        "noise": pa.array(random.normal(size=ROWS)),
        "told": pa.array(values),
        "y": pa.array(np.where(told, "yes", "no")),
    }


@pytest.mark.parametrize("most_rows", [10, remarks.MOST_ROWS])
@pytest.mark.parametrize("distinct", [7, 700])
def test_a_column_that_determines_the_target_is_found_in_all_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most_rows: int, distinct: int
) -> None:
    monkeypatch.setattr(remarks, "MOST_ROWS", most_rows)
    monkeypatch.setattr(digest_file, "SLICE", 100)
    with pytest.raises(DataError, match="dataset made: each value of 'told' has one value of 'y' only"):
        prepare(tmp_path / "leak", monkeypatch, leaking(distinct, 0), ROWS)
    prepare(tmp_path / "nearly", monkeypatch, leaking(distinct, 100), ROWS)
    # values that hardly repeat tell nothing
    prepare(tmp_path / "seldom", monkeypatch, leaking(ROWS - 10, 0), ROWS)


def test_a_constant_column_is_told_whether_it_has_a_value_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(remarks, "MOST_ROWS", 10)
    late = np.zeros(ROWS)
    late[-50:] = 1
    same = {"one": pa.array(np.ones(ROWS)), "none": pa.nulls(ROWS, pa.float64()), "late": pa.array(late)}
    prepare(tmp_path / "out", monkeypatch, same | rows(), ROWS)
    assert (
        "made: constant in the training rows, so that no model learns from it: one, none\n" in capsys.readouterr().out
    )
