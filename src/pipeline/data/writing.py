"""From a dataset's source to its splits on disk.

Rows pass through memory a batch at a time. A first pass writes all rows to a file and takes note of a digest of each
row; when all digests are known, each row's split is known, and a second pass deals the rows out.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.config import DatasetConfig, PrepareConfig
from pipeline.config.checks import check
from pipeline.config.data import GROUP, TOGETHER
from pipeline.config.data import WEIGHT as WEIGHT_ROLE
from pipeline.data import splits
from pipeline.data.ahead import ahead
from pipeline.data.collected import Collected, collect
from pipeline.data.digests import Digests
from pipeline.data.heard import heard
from pipeline.data.prepared import ROW, TARGET, WEIGHT, chunk_rows, open_parquet, target_values
from pipeline.data.profile.page import About, write_page
from pipeline.data.profile.seen import Seen
from pipeline.data.profile.statistics import statistics_of, write_statistics
from pipeline.data.related import Groups, Related, Stretches, tell_few_groups, write_related
from pipeline.data.remarks import MOST_ROWS, check_columns, some_of
from pipeline.data.row_ids import RowIds
from pipeline.data.schema import Schema
from pipeline.data.sources import SOURCES
from pipeline.data.sources.source import Columns
from pipeline.data.splits import PLACES, Places, Summary
from pipeline.data.types.type import is_bytes
from pipeline.errors import DataError
from pipeline.files import digest_file, write_json
from pipeline.layout import BEST_POSSIBLE, MANIFEST, PAGE, SPLITS, STATISTICS, SUMMARY, TEST, TRAIN, split_file

FEW_ROWS, UNEVEN = 10, 5  # training rows of a class, and how many times as many rows a class has as another
# what deals out rows so that equal ones may be in several splits
WHY_APART = {
    "given": "The split stays as it is given.",
    "time": "Rows are dealt out by their times.",
    "group": "Rows are dealt out by their groups.",
}
MISSING = ":missing"  # a model has a flag of this name for a feature with missing values


def write_prepared(config: PrepareConfig, folder: Path, root: Path, described: Path | None = None) -> Summary:
    """Write train, validation and test as Parquet, schema.json, summary.json (rows by split and class) and
    manifest.json (bytes and digest of each split) into `folder`, and return the summary. Where the source knows the
    best possible scores, best_possible.json holds them. Write statistics.json and page.html into the folder
    `described`, if there is one.

    `root` is the checkout, to which the paths of a source are relative. Prints what a person should know of the rows.
    Raises DataError for rows that no model can learn from.
    """
    dataset = config.dataset
    source = SOURCES[dataset.source]
    columns = source.columns(dataset, root).with_roles_of(dataset)
    check_names(columns)
    check_rules(dataset, columns)
    with TemporaryDirectory(dir=folder) as between, heard() as remarks:
        found = collect(dataset, columns, ahead(source.batches(dataset, root)), Path(between))
        classes = found.classes(dataset, columns.target)
        features = found.features(columns)
        schema = Schema(dataset.name, dataset.task, dataset.split, features, columns.target.name, classes)
        places = found.places(dataset, config.split)
        repeated = found.digests.repeated()
        seen = None if described is None else Seen(schema)
        summary = deal_out(folder, found, schema, columns, RowIds(repeated), places, seen)
        conflicts = check_rows(config, found, repeated, summary, places)
        if (related := related_tests(dataset, found, columns, places)) is not None:
            write_related(folder, related)
            tell_few_groups(dataset.name, related)
        check_weights(dataset, folder)
        found.tell_remarks(dataset.name)
        check_columns(dataset, schema, columns.target, folder, Path(between))
        duplicates = found.num_duplicates(repeated)
    schema.write(folder)
    write_json(folder / SUMMARY, summary)
    files = {split: folder / split_file(split) for split in SPLITS}
    manifest = {split: {"bytes": file.stat().st_size, "sha256": digest_file(file)} for split, file in files.items()}
    write_json(folder / MANIFEST, manifest)
    if best := source.best_possible(dataset):
        write_json(folder / BEST_POSSIBLE, best)
    if described is not None and seen is not None:
        statistics = statistics_of(seen)
        write_statistics(described / STATISTICS, statistics)
        about = About(dataset, schema, summary, seen, statistics, duplicates, conflicts, remarks)
        write_page(described / PAGE, about)
    return summary


def check_rows(
    config: PrepareConfig, found: Collected, repeated: Digests, summary: Summary, places: Places | None
) -> int:
    """Print what stands out of how the rows were dealt out, and return how many contradict an earlier row. Raises
    DataError for a split that lacks rows. `repeated` are the digests that several rows have."""
    dataset = config.dataset
    if places is not None:
        # The score of all folds together may well come from a fold without a rare class.
        whole = config.split.folds is None
        method, every_class = (dataset.split, SPLITS) if whole else (splits.FOLDS, (TRAIN,))
        splits.check_counts(dataset.name, summary, method, every_class)
    rule = "group" if found.groups and dataset.split == "hash" else dataset.split
    if places is not None and rule in WHY_APART and len(repeated):
        tell_known_tests(dataset.name, splits.num_tests_known(places, found.digests), rule)
    if places is not None and found.near is not None:
        found.near.check(dataset, places, by_rows=rule == "hash")
    tell_balance(dataset.name, summary)
    if conflicts := found.num_conflicts(repeated):
        print(f"{dataset.name}: {conflicts} rows have the features of an earlier row, but another target")
    return conflicts


def related_tests(dataset: DatasetConfig, found: Collected, columns: Columns, places: Places | None) -> Related | None:
    """How the test rows hang together: by what deals them out together, or by their times. None where each of them is
    independent of all others."""
    chosen = np.ones(found.digests.num_rows, bool) if places is None else places == PLACES[TEST]
    if found.times and not found.groups:
        ends = np.concatenate(found.times)[chosen]
        return Stretches(np.concatenate(found.starts)[chosen] if found.starts else ends, ends)
    if found.groups:
        groups = Groups(columns.roles[GROUP].name.lstrip(":"), np.concatenate(found.groups)[chosen])
    elif found.near is not None and dataset.near_duplicates == TOGETHER:
        groups = Groups("near copies", np.concatenate(list(found.near.digests.slices()))[chosen])
    else:
        return None
    return groups if len(np.unique(groups.of_row)) < len(groups.of_row) else None


def tell_known_tests(dataset: str, count: int, rule: str) -> None:
    """Print that test rows are known from the other splits, which happens where another rule than the rows' digests
    deals them out."""
    if count:
        rows = "1 test row has" if count == 1 else f"{count} test rows have"
        print(f"{dataset}: {rows} the features of a row for training or validation. {WHY_APART[rule]}")


def tell_balance(dataset: str, summary: Summary) -> None:
    """Print which classes have few training rows, and how uneven the classes are."""
    counts = summary[TRAIN]["classes"]
    if few := [f"'{name}' {count}" for name, count in counts.items() if count < FEW_ROWS]:
        print(f"{dataset}: classes with fewer than {FEW_ROWS} training rows: {some_of(few)}")
    if counts and max(counts.values()) > UNEVEN * min(counts.values()):
        most, least = (pick(counts, key=lambda name: counts[name]) for pick in (max, min))
        shares = [f"{100 * counts[name] / summary[TRAIN]['rows']:.1f} % are '{name}'" for name in (most, least)]
        print(f"{dataset}: uneven classes: {' and '.join(shares)} of the training rows")


def check_weights(dataset: DatasetConfig, folder: Path) -> None:
    """Raise DataError where no training row counts."""
    if dataset.weight is None:
        return
    with open_parquet(folder / split_file(TRAIN)) as file:
        parts = file.iter_batches(MOST_ROWS, columns=[WEIGHT])
        counts = any(part[WEIGHT].to_numpy().astype(np.float32).any() for part in parts)
    if not counts:
        raise DataError(f"dataset {dataset.name}: weight '{dataset.weight}' is 0 in all training rows.")


def check_names(columns: Columns) -> None:
    """Raise DataError for a feature that has the name of a column of ours."""
    names = {column.name for column in columns.features}
    for name in names:
        if name in (ROW, TARGET, WEIGHT) or (name.endswith(MISSING) and name.removesuffix(MISSING) in names):
            raise DataError(f"column '{name}': that name is kept for another column. Rename the feature.")


def check_rules(dataset: DatasetConfig, columns: Columns) -> None:
    """Raise ConfigError where groups, which a source may bring itself, and near copies would both deal out the rows."""
    one = dataset.near_duplicates != TOGETHER or GROUP not in columns.roles
    expected = "say, refuse or ignore, as the rows have groups, which are dealt out instead"
    check(one, f"dataset {dataset.name}: near_duplicates", dataset.near_duplicates, expected)


def deal_out(
    folder: Path,
    found: Collected,
    schema: Schema,
    columns: Columns,
    ids: RowIds,
    places: Places | None,
    seen: Seen | None,
) -> Summary:
    """Write each row to its split, in the source's order, and return how many rows each split has."""
    size = chunk_rows(schema.row_bytes)
    # of each split and class; a target that is a number counts as one class
    counts = np.zeros((len(SPLITS), len(schema.classes) or 1), np.int64)
    with ExitStack() as stack:
        writers = {split: SplitWriter(stack, folder / split_file(split), size) for split in SPLITS}
        for parts in ahead(dealt(found, columns, ids, places)):
            for split, part in parts.items():
                codes = target_values(part[TARGET], schema.classes) if schema.classes else np.zeros(len(part), np.int32)
                counts[PLACES[split]] += np.bincount(codes, minlength=counts.shape[1])
                writers[split].write(part)
                if seen is not None:
                    seen.look_at(split, part)
        for writer in writers.values():
            writer.close()
    summary: Summary = {}
    for split, place in PLACES.items():
        by_class = dict(zip(schema.classes, counts[place].tolist(), strict=False)) if places is not None else {}
        summary[split] = {"rows": int(counts[place].sum()), "classes": by_class}
    return summary


def dealt(found: Collected, columns: Columns, ids: RowIds, places: Places | None) -> Iterator[dict[str, pa.Table]]:
    """The rows of each split as its file has them, some at a time."""
    names = {column.name: column.name for column in columns.features} | {columns.target.name: TARGET}
    if WEIGHT_ROLE in columns.roles:
        names[columns.roles[WEIGHT_ROLE].name] = WEIGHT
    start = 0
    # The pages of a file that is mapped into memory would count to this process.
    with pa.OSFile(str(found.rows)) as stream, pa.ipc.open_stream(stream) as reader:
        for batch in reader:
            own = ids.following(found.digests.read(start, batch.num_rows))
            table = pa.table([own, *(batch[name] for name in names)], [ROW, *names.values()])
            of_rows = None if places is None else places[start : start + batch.num_rows]
            yield {
                split: table if of_rows is None else table.filter(pa.array(of_rows == place))
                for split, place in PLACES.items()
            }
            start += batch.num_rows


class SplitWriter:
    """Writes a split's Parquet file. Row groups have `size` rows, however many rows come at a time, so that the file's
    bytes do not depend on a source's batches."""

    def __init__(self, stack: ExitStack, path: Path, size: int) -> None:
        self._stack, self._path, self._size = stack, path, size
        self._writer: pq.ParquetWriter | None = None
        self._waiting: list[pa.Table] = []
        self._num_waiting = 0

    def write(self, table: pa.Table) -> None:
        if self._writer is None:
            options = {"use_dictionary": columns_that_repeat(table.schema)}
            self._writer = self._stack.enter_context(pq.ParquetWriter(self._path, table.schema, **options))
        self._waiting.append(table)
        self._num_waiting += table.num_rows
        if self._num_waiting >= self._size:
            self._flush(self._num_waiting - self._num_waiting % self._size)

    def close(self) -> None:
        """Write the rest."""
        self._flush(self._num_waiting)

    def _flush(self, num_rows: int) -> None:
        """Write so many of the waiting rows."""
        assert self._writer is not None
        rows = pa.concat_tables(self._waiting).combine_chunks()  # pages of a file begin where its chunks do
        self._writer.write_table(rows.slice(0, num_rows), self._size)
        self._waiting, self._num_waiting = [rows.slice(num_rows)], rows.num_rows - num_rows


def columns_that_repeat(schema: pa.Schema) -> list[str]:
    """The columns of which Parquet keeps each value once and numbers them: all but ids, numbers and encoded contents.
    Those seldom repeat, and looking for it took most of the time of writing them."""
    return [
        f"{entry.name}.list.element" if pa.types.is_nested(entry.type) else entry.name
        for entry in schema
        if entry.name != ROW and not pa.types.is_floating(entry.type) and not is_bytes(entry.type)
    ]
