"""Features that stream from disk give the very bits that features in memory give."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipeline.data import prepared
from pipeline.data.prepared import SplitFile, chunk_rows, open_split, read_split
from pipeline.data.rows_file import RowsFile
from pipeline.data.sampling import TrainingData
from pipeline.data.types.type import storage_bytes
from pipeline.errors import ConfigError
from pipeline.model.assembly import assemble
from pipeline.tracking.journal import Journal
from pipeline.training.fit import fit
from tests.contracts.test_families import config_of, rows_of, schema_of
from tests.contracts.test_inputs import training
from tests.contracts.test_resume import CASES, config_for, forget_last_checkpoint
from tests.made import array_of, write_split

TRAINERS = ("compiled", "keras")
# A vector and a grid; what differs between families on the same kind of features does not see where they come from.
STREAMED = {"compiled": ("linear", "mlp", "cnn"), "keras": ("cnn",)}


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "CHUNK_ROWS", 16)


def on_disk(folder: Path, case: tuple[str, str, str]) -> Path:
    """Both splits of a made dataset, written as prepare does."""
    schema = schema_of(case[1], case[2])
    for number, name in enumerate(("train", "validation"), start=1):
        rows = rows_of(schema, number)
        write_split(folder, name, schema, rows)
    return folder


def trained(
    folder: Path, data: Path, case: tuple[str, str, str], trainer: str, most: int, xla: str = "auto"
) -> tuple[list[bytes], list]:
    schema = schema_of(case[1], case[2])
    config = config_for(trainer, case)
    config.trainer.resident_bytes, config.trainer.xla = most, xla
    if xla == "on":
        config.trainer.augmentation.translate = 0.0  # else it is steps that are compiled, also in memory
    splits = [open_split(data, name, schema, most) for name in ("train", "validation")]
    assert all(isinstance(split, SplitFile) == (most == 1) for split in splits)
    model, history = fit(config, TrainingData(schema, *splits), folder, Journal(folder / "journal.jsonl"))
    return [weight.tobytes() for weight in model.core.get_weights()], history


@pytest.mark.parametrize(
    ("case", "trainer"),
    [(case, trainer) for case in CASES for trainer in TRAINERS if case[0] in STREAMED[trainer]],
    ids=lambda value: value[0] if isinstance(value, tuple) else value,
)
def test_same_bits(case: tuple[str, str, str], trainer: str, tmp_path: Path) -> None:
    data = on_disk(tmp_path / "data", case)
    resident = trained(tmp_path / "resident", data, case, trainer, 2**30)
    assert trained(tmp_path / "streamed", data, case, trainer, 1) == resident
    forget_last_checkpoint(tmp_path / "streamed")
    assert trained(tmp_path / "streamed", data, case, trainer, 1) == resident


@pytest.mark.parametrize(
    "case", [case for case in CASES if case[0] in ("linear", "cnn", "rnn")], ids=lambda case: case[0]
)
def test_same_training_by_xla(case: tuple[str, str, str], tmp_path: Path) -> None:
    """It compiles whole epochs of rows in memory, and steps of streamed ones. The sums of a recurrent network are then
    rounded otherwise (docs/training.md)."""
    data = on_disk(tmp_path / "data", case)
    resident, streamed = (trained(tmp_path / f"{most}", data, case, "compiled", most, xla="on") for most in (2**30, 1))
    if case[0] != "rnn":
        assert streamed == resident
    for one, other in zip(streamed[0], resident[0], strict=True):
        np.testing.assert_allclose(np.frombuffer(one, np.float32), np.frombuffer(other, np.float32), atol=1e-4)


@pytest.mark.parametrize(
    ("column", "family"), [("text", "cnn"), ("sequence", "linear"), ("audio", "linear"), ("series", "linear")]
)
def test_features_of_what_no_training_above_has(column: str, family: str, tmp_path: Path) -> None:
    """What is learned of the rows, and what becomes of them, are the same bits from memory and from disk."""
    schema, rows = training(column, nullable=False)
    write_split(tmp_path, "train", schema, rows)
    config, found = config_of(family, "regression"), []
    for split in (read_split(tmp_path, "train", schema), open_split(tmp_path, "train", schema, 1)):
        assert len(list(split.chunks())) > 1
        model = assemble(config, schema, split)
        found.append(np.concatenate([next(iter(chunk.values())) for chunk in model.feature_chunks(split)]))
    np.testing.assert_array_equal(*found)


def test_chunks_of_a_file_are_those_of_memory(tmp_path: Path) -> None:
    schema = schema_of("image", "multiclass")
    data = on_disk(tmp_path, ("cnn", "image", "multiclass"))
    whole = read_split(data, "train", schema)
    chunks = list(open_split(data, "train", schema, 1).chunks())
    assert [chunk.num_rows for chunk in chunks] == [chunk.num_rows for chunk in whole.chunks()]
    assert len(chunks) > 1
    np.testing.assert_array_equal(
        np.concatenate([array_of(chunk, "image") for chunk in chunks]), array_of(whole, "image")
    )
    assert np.concatenate([chunk.rows for chunk in chunks]).tolist() == whole.rows.tolist()


def test_a_chunk_of_large_inputs_has_fewer_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert sum(map(storage_bytes, (pa.float64(), pa.string(), pa.bool_()))) == 8 + 32 + 1
    assert chunk_rows(8 + 32 + 1) == prepared.CHUNK_ROWS
    image = storage_bytes(pa.list_(pa.float32(), 224 * 224 * 3))
    assert chunk_rows(image) == prepared.CHUNK_BYTES // (4 * 224 * 224 * 3) == 13
    assert chunk_rows(storage_bytes(pa.list_(pa.float32(), 4096 * 4096 * 3))) == 1


def test_rows_file_reads_at_random(tmp_path: Path) -> None:
    values = np.arange(60, dtype=np.float32).reshape(10, 3, 2)
    values.tofile(tmp_path / "features")
    rows = RowsFile(tmp_path / "features", (3, 2), np.float32)
    assert len(rows) == 10
    np.testing.assert_array_equal(rows.all(), values)
    (tmp_path / "features").unlink()
    np.testing.assert_array_equal(rows.take(np.array([7, 0, 7, 9], np.int32)), values[[7, 0, 7, 9]])
    rows.close()


@pytest.mark.parametrize("rows", [(10, 40), (40, 10)], ids=["training rows", "validation rows"])
def test_the_trainer_exact_does_not_stream(rows: tuple[int, int], tmp_path: Path) -> None:
    schema = schema_of("number", "regression")
    config = config_of("linear", "regression")
    config.trainer.name, config.trainer.resident_bytes = "exact", 500  # 20 rows or more of 4 features take more
    splits = [rows_of(schema, i).where(np.arange(48) < number) for i, number in enumerate(rows)]
    journal = Journal(tmp_path / "journal.jsonl")
    with pytest.raises(ConfigError, match="trainer exact keeps all features in memory"):
        fit(config, TrainingData(schema, *splits), tmp_path, journal)
