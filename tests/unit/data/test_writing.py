"""From a source's batches to splits: nothing depends on how many rows a source gives at a time."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import mode

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.config import DatasetConfig, PrepareConfig, SplitConfig
from pipeline.data import collected, digest_file, prepared, remarks, unknown_categories
from pipeline.data.copies import is_copy
from pipeline.data.digest_file import DigestFile
from pipeline.data.schema import Column, Schema
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


def prepare(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    values: dict[str, pa.Array],
    size: int,
    task: str = "binary",
    leakage: str = "refuse",
) -> Path:
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
    dataset = DatasetConfig("made", "made", task, leakage=leakage)
    write_prepared(PrepareConfig(SplitConfig(1, 0.2, 0.1), dataset), folder, folder)
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
    answers = defaultdict(list)
    for *features, answer in zip(*(column.to_pylist() for column in values.values()), strict=True):
        answers[tuple(features)].append(answer)
    conflicts = sum(len(found) - found.count(mode(found)) for found in answers.values())
    assert conflicts > 500
    said = capsys.readouterr().out
    assert f"made: {conflicts} rows have the features of others, but not their most frequent target\n" in said
    assert f"made: {ROWS - len(answers)} rows have the features of an earlier row\n" in said


@pytest.mark.parametrize(
    ("answers", "conflicts"),
    [("a", 0), ("aaa", 0), ("ab", 1), ("abb", 1), ("aabb", 2), ("abc", 2), ("abcbb", 2), ("", 0)],
)
def test_rows_that_are_not_of_the_most_frequent_target_are_conflicts(
    answers: str, conflicts: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The other rows have features of their own, and each answer comes again with others."""
    monkeypatch.setattr(digest_file, "SLICE", 4)
    features, targets = DigestFile(tmp_path / "features"), DigestFile(tmp_path / "targets")
    spread = np.random.default_rng(0).integers(0, 2**64, 9, np.uint64)
    features.append(np.append(np.repeat(spread[0], len(answers)), spread[1:]))
    targets.append(np.array([ord(letter) for letter in answers + "aabbccab"], np.uint64))
    assert features.num_outvoted(targets) == conflicts


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
    # values that hardly repeat tell nothing of a target that is no number
    prepare(tmp_path / "seldom", monkeypatch, leaking(ROWS - 10, 0), ROWS)


RANDOM = np.random.default_rng(2)
PRICE = np.round(RANDOM.lognormal(6, 1, ROWS), 2)  # with two decimals, and a long tail
HEIGHT = np.round(RANDOM.normal(170, 10, ROWS))
NOISE = RANDOM.normal(size=(2, ROWS))


@pytest.mark.parametrize(
    ("column", "target", "expected"),
    [
        (PRICE, PRICE, True),
        (np.round(PRICE * 1.0837, 2), PRICE, True),  # in another currency
        (np.float32(1.8 * PRICE + 32).astype(float), PRICE, True),
        (np.where(NOISE[0] > 0, np.nan, -PRICE / 1000), PRICE, True),
        (np.round(np.where(NOISE[0] > 0, 0, PRICE) * 0.93, 2), np.where(NOISE[0] > 0, 0, PRICE), True),
        (25.4 * np.maximum(NOISE[0], 0), np.maximum(NOISE[0], 0), True),  # rain, which is 0 in half of the rows
        (np.append(PRICE[1:], 1e15) * 2, np.append(PRICE[1:], 1e15), True),
        # What tells the target well, or seems to, and is no copy. The first four correlate above 0.999 with it.
        (PRICE + 0.1 * NOISE[0], PRICE, False),
        (np.append(PRICE[1:], PRICE[0] + 1), PRICE[[*range(1, ROWS), 0]], False),
        (np.append(NOISE[0], 1e9), np.append(NOISE[1], 1e9), False),
        (np.round(HEIGHT + 0.3 * NOISE[0]), HEIGHT, False),
        (1.7e9 + NOISE[0], 1.7e9 + NOISE[1], False),  # moments, of which only the last digits differ
        (np.where(NOISE[0] > 2, 5.0, 0.0), np.where(NOISE[0] > 2, 7.0, 0.0), False),  # too few values to tell
        (NOISE[0], NOISE[1], False),
    ],
)
@pytest.mark.parametrize("size", [100, ROWS + 1])
def test_what_is_a_copy_of_a_target(column: np.ndarray, target: np.ndarray, expected: bool, size: int) -> None:
    parts = ((column[start : start + size], target[start : start + size]) for start in range(0, len(column), size))
    assert is_copy(parts) == expected


def test_a_copy_of_a_target_of_numbers_is_refused_unless_it_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    euros = pa.array(np.round(PRICE * 0.93, 2), mask=NOISE[1] > 1)
    values = {"noise": pa.array(NOISE[0]), "eur": euros, "same": pa.array(PRICE), "y": pa.array(PRICE)}
    with pytest.raises(DataError) as caught:
        prepare(tmp_path / "refused", monkeypatch, values, 700, task="regression")
    assert str(caught.value) == (
        "dataset made: 'y' is a factor times 'eur' or 'same' plus a constant, but for rounding, as if it were made "
        "from it. Leave it out, or set leakage: accept."
    )
    prepare(tmp_path / "accepted", monkeypatch, values, 700, task="regression", leakage="accept")


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


def test_a_category_that_no_training_row_has_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whether rows for testing or for validation have it, or both; the others are told of, too, if there are many."""
    monkeypatch.setattr(unknown_categories, "MOST_ROWS", 100)
    names = np.array([f"c{i:04d}" for i in range(ROWS)])
    each = {"each": pa.array(names), "few": pa.array(names[np.arange(ROWS) % 5])}
    folder = prepare(tmp_path / "out", monkeypatch, rows() | each, ROWS)
    train, *rest = (pq.read_table(folder / split_file(split))["each"].to_pylist() for split in SPLITS)
    others = sorted(rest[0] + rest[1])
    first, more = others[:50], len(others) - 50
    told = f"made: 'each' has categories in test or validation rows that no training row has: {', '.join(first)}"
    printed = capsys.readouterr().out
    assert f"{told}, and {more} more\n" in printed
    assert "'few'" not in printed
    monkeypatch.setattr(unknown_categories, "MOST_CATEGORIES", len(train) - 1)
    prepare(tmp_path / "many", monkeypatch, rows() | each, ROWS)
    told = f"made: 'each' has over {len(train) - 1:,} categories in the training rows, as ids do. Whether the other"
    assert told in capsys.readouterr().out


def test_the_schema_says_where_a_data_frame_would_change_a_category(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of columns with so many categories that it does not hold them."""
    monkeypatch.setattr(collected, "MOST_CATEGORIES", 20)
    numbers = [str(i) for i in range(ROWS)]
    lost = {f"lost{i}": pa.array([*numbers[1:], text]) for i, text in enumerate(("007", "7.0", "1e3", "True", " 7"))}
    kept = {"number": pa.array(numbers), "few": pa.array(["true"] * ROWS), "mixed": pa.array([*numbers[1:], "A07"])}
    folder = prepare(tmp_path / "out", monkeypatch, rows() | lost | kept, 1000)
    features = {column.name: column for column in Schema.read(folder).features}
    assert [len(features[name].categories) for name in ("few", "mixed", "lost0")] == [1, 0, 0]
    assert {name for name, column in features.items() if column.loses_texts} == set(lost)
