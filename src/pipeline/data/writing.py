"""From a dataset's source to its splits on disk.

Rows pass through memory a batch at a time. A first pass writes all rows to a file and takes note of a digest of each
row; when all digests are known, each row's split is known, and a second pass deals the rows out.
"""

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.config import DatasetConfig, PrepareConfig
from pipeline.config.data import WEIGHT as WEIGHT_ROLE
from pipeline.data import splits
from pipeline.data.collected import Collected, collect
from pipeline.data.prepared import ROW, TARGET, WEIGHT, chunk_rows, read_table
from pipeline.data.remarks import check_columns
from pipeline.data.schema import Schema
from pipeline.data.sources import SOURCES
from pipeline.data.sources.source import Columns
from pipeline.data.splits import PLACES, Places, Summary
from pipeline.errors import DataError
from pipeline.files import digest_file, write_json
from pipeline.layout import MANIFEST, SPLITS, SUMMARY, TRAIN, split_file
from pipeline.tasks import TASKS

ROWS = "rows.arrow"
MISSING = ":missing"  # a model has a flag of this name for a feature with missing values


def write_prepared(config: PrepareConfig, folder: Path, root: Path) -> Summary:
    """Write train, validation and test as Parquet, schema.json, summary.json (rows by split and class) and
    manifest.json (bytes and digest of each split) into `folder`, and return the summary.

    `root` is the checkout, to which the paths of a source are relative. Prints what a person should know of the rows.
    Raises DataError for rows that no model can learn from.
    """
    dataset = config.dataset
    source = SOURCES[dataset.source]
    columns = source.columns(dataset, root).with_roles_of(dataset)
    check_names(columns)
    rows = folder / ROWS
    found = collect(dataset, columns, source.batches(dataset, root), rows)
    classes = found.classes(dataset, columns.target)
    if wrong := TASKS[dataset.task].check_target(found.target_codes(classes), columns.target.name, classes):
        raise DataError(f"dataset {dataset.name}: {wrong}")
    places = found.places(dataset, config.split)
    summary = summarised(found, places, classes)
    if places is not None:
        splits.check_counts(dataset.name, summary, dataset.split)
    if places is not None and dataset.split == "given":
        tell_known_tests(dataset.name, splits.num_tests_known(places, found.digests))
    features = [
        replace(
            column,
            nullable=found.nulls[column.name] > 0,
            categories=sorted(found.categories.get(column.name, ())),
        )
        for column in columns.features
    ]
    schema = Schema(dataset.name, dataset.task, dataset.split, features, columns.target.name, classes)
    deal_out(folder, rows, schema, columns, splits.row_ids(found.digests), places)
    rows.unlink()
    check_weights(dataset, folder)
    if conflicts := found.conflicting(classes):
        print(f"{dataset.name}: {conflicts} rows have the features of an earlier row, but another target")
    check_columns(dataset, schema, folder)
    schema.write(folder)
    write_json(folder / SUMMARY, summary)
    write_json(
        folder / MANIFEST,
        {
            split: {
                "bytes": (folder / split_file(split)).stat().st_size,
                "sha256": digest_file(folder / split_file(split)),
            }
            for split in SPLITS
        },
    )
    return summary


def tell_known_tests(dataset: str, count: int) -> None:
    """Print that test rows are known from the other splits. A given split stands as it is."""
    if count:
        rows = "1 test row has" if count == 1 else f"{count} test rows have"
        print(f"{dataset}: {rows} the features of a row for training or validation. The split stays as it is given.")


def check_weights(dataset: DatasetConfig, folder: Path) -> None:
    """Raise DataError where no training row counts."""
    if dataset.weight is None:
        return
    weights = read_table(folder / split_file(TRAIN), [WEIGHT])[WEIGHT].to_numpy()
    if not weights.astype(np.float32).any():
        raise DataError(f"dataset {dataset.name}: weight '{dataset.weight}' is 0 in all training rows.")


def check_names(columns: Columns) -> None:
    """Raise DataError for a feature that has the name of a column of ours."""
    names = {column.name for column in columns.features}
    for name in names:
        if name in (ROW, TARGET, WEIGHT) or (name.endswith(MISSING) and name.removesuffix(MISSING) in names):
            raise DataError(f"column '{name}': that name is kept for another column. Rename the feature.")


def summarised(found: Collected, places: Places | None, classes: list[str]) -> Summary:
    """How many rows each split has, in all and of each class; without places, every split has all rows."""
    summary: Summary = {}
    codes = found.target_codes(classes) if classes else None
    for split in SPLITS:
        chosen = slice(None) if places is None else places == PLACES[split]
        summary[split] = {"rows": len(found.digests[chosen]), "classes": {}}
        if codes is not None and places is not None:
            counts = np.bincount(codes[chosen], minlength=len(classes))
            summary[split]["classes"] = {name: int(count) for name, count in zip(classes, counts, strict=True)}
    return summary


def deal_out(folder: Path, rows: Path, schema: Schema, columns: Columns, ids: list[str], places: Places | None) -> None:
    """Write each row of the file `rows` to its split, in the source's order, in row groups of a fixed size."""
    names = {column.name: column.name for column in schema.features} | {columns.target.name: TARGET}
    if WEIGHT_ROLE in columns.roles:
        names[columns.roles[WEIGHT_ROLE].name] = WEIGHT
    size = chunk_rows(column.storage for column in schema.features)
    with ExitStack() as stack:
        stream = stack.enter_context(pa.memory_map(str(rows)))
        reader = stack.enter_context(pa.ipc.open_stream(stream))
        writers = {split: SplitWriter(stack, folder / split_file(split), size) for split in SPLITS}
        start = 0
        for batch in reader:
            own = pa.array(ids[start : start + batch.num_rows], pa.string())
            table = pa.table([own, *(batch[name] for name in names)], [ROW, *names.values()])
            of_batch = None if places is None else places[start : start + batch.num_rows]
            for split, writer in writers.items():
                writer.write(table if of_batch is None else table.filter(pa.array(of_batch == PLACES[split])))
            start += batch.num_rows
        for writer in writers.values():
            writer.close()


class SplitWriter:
    """Writes a split's Parquet file. Row groups have `size` rows, however many rows come at a time, so that the file's
    bytes do not depend on a source's batches."""

    def __init__(self, stack: ExitStack, path: Path, size: int) -> None:
        self._stack, self._path, self._size = stack, path, size
        self._writer: pq.ParquetWriter | None = None
        self._waiting: list[pa.Table] = []

    def write(self, table: pa.Table) -> None:
        if self._writer is None:
            self._writer = self._stack.enter_context(pq.ParquetWriter(self._path, table.schema))
        self._waiting.append(table)
        if sum(part.num_rows for part in self._waiting) >= self._size:
            self._flush(whole=True)

    def close(self) -> None:
        """Write the rest."""
        self._flush(whole=False)

    def _flush(self, whole: bool) -> None:
        """Write the waiting rows; with `whole`, only as many as fill row groups."""
        assert self._writer is not None
        rows = pa.concat_tables(self._waiting).combine_chunks()
        done = rows.num_rows - rows.num_rows % self._size if whole else rows.num_rows
        for start in range(0, done, self._size):
            self._writer.write_table(rows.slice(start, min(self._size, done - start)))
        self._waiting = [rows.slice(done)]
