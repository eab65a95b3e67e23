"""Sequences in FASTA files, labelled by a pattern of the header, by their file, or by a table of ids."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from omegaconf import MISSING

from pipeline.config import DatasetConfig
from pipeline.config.checks import check, one_of
from pipeline.config.data import GROUP
from pipeline.data.formats.bad_rows import BadRows
from pipeline.data.formats.fasta import Record, records
from pipeline.data.formats.finding import find_files, find_split_files
from pipeline.data.formats.remote import RemoteFile, is_url
from pipeline.data.formats.rows import Rows
from pipeline.data.schema import Column
from pipeline.data.sources.fasta_labels import Labels, read_labels
from pipeline.data.sources.source import Columns, Source, target_column
from pipeline.data.types.category import CategoryColumn
from pipeline.data.types.sequence import ACCEPT, SequenceColumn
from pipeline.data.types.type import shown
from pipeline.errors import ConfigError, DataError

SEQUENCE, LABEL = "sequence", "label"
REFUSE, SKIP = ON_BAD_ROW = ("refuse", "skip")
RECORDS_AT_ONCE, LETTERS_AT_ONCE = 4096, 4 * 2**20  # in memory; a record may be longer by itself


@dataclass
class FastaDataset(DatasetConfig):
    """`path` is a file, a glob, a folder, or a list of these, relative to the top folder of the checkout; gzipped files
    end with .gz. A sequence's label comes from one of three places:

    - `header` is a regular expression for a part of the header, with a group `label`, and perhaps a group `group`.
    - `path` is a mapping from each label to its files.
    - `labels` is a table with a column `id`, the header up to its first blank, and a column `label`. Of its other
      columns, `group` may name one.

    `alphabet`, `letters` and `ambiguous` are those of the type sequence. `on_bad_row` says whether
    records that cannot be used are refused, or left out and counted.
    """

    path: Any = MISSING
    header: str = ""
    labels: str = ""
    alphabet: str = "dna"
    letters: str = ""
    ambiguous: str = ACCEPT
    on_bad_row: str = REFUSE

    def check(self) -> None:
        super().check()
        one_of("dataset.on_bad_row", self.on_bad_row, ON_BAD_ROW)
        for name, paths in self.paths.items():
            good = bool(paths) and all(isinstance(path, str) for path in paths)
            key = f"dataset.path.{name}" if name else "dataset.path"
            check(good, key, paths, "a file, a glob or a folder, or a list of these, or a mapping of labels to them")
        ways = [name for name, used in self._ways().items() if used]
        expected = "one of header, labels, and a path for each label"
        check(len(ways) == 1, "dataset: the places of labels", " and ".join(ways) or "none", expected)
        if self.header:
            check("label" in self.pattern.groupindex, "dataset.header", self.header, "a group (?P<label>...)")
        needs_table = self.group is None or bool(self.labels)
        check(needs_table, "dataset.group", self.group, "nothing without labels; a group (?P<group>...) of header")
        for name in ("weight", "time", "fold"):
            check(getattr(self, name) is None, f"dataset.{name}", getattr(self, name), "nothing for FASTA files")
        try:
            self.column.check()
        except ConfigError as error:
            raise ConfigError(f"dataset.{error}") from error

    def _ways(self) -> dict[str, bool]:
        by_file = isinstance(self.path, Mapping)
        return {"header": bool(self.header), "labels": bool(self.labels), "a path for each label": by_file}

    @property
    def pattern(self) -> re.Pattern[str]:
        try:
            return re.compile(self.header)
        except re.error as error:
            raise ConfigError(f"dataset.header: {self.header!r} is no regular expression ({error}).") from error

    @property
    def paths(self) -> dict[str, list[Any]]:
        """What `path` names, by label; under an empty label where the label does not come from the file."""
        by_label = dict(self.path) if isinstance(self.path, Mapping) else {"": self.path}
        return {str(name): list(path) if isinstance(path, list | tuple) else [path] for name, path in by_label.items()}

    @property
    def column(self) -> SequenceColumn:
        settings = (self.alphabet, self.letters, self.ambiguous)
        return SequenceColumn("sequence", None, *settings)


def columns(config: FastaDataset, root: Path) -> Columns:
    groups = {GROUP: Column(config.group or GROUP, CategoryColumn("category"))} if _has_groups(config) else {}
    return Columns([Column(SEQUENCE, config.column)], target_column(config, LABEL), groups)


def _has_groups(config: FastaDataset) -> bool:
    return config.group is not None or (bool(config.header) and GROUP in config.pattern.groupindex)


def _all_paths(config: FastaDataset) -> list[str]:
    """What names the files of sequences and of labels."""
    paths = [path for of_label in config.paths.values() for path in of_label]
    return [*paths, config.labels] if config.labels else paths


def files(config: FastaDataset, root: Path) -> list[Path]:
    """The files on this machine. Raises DataError for paths that name none."""
    return [file.path for file in find_files([path for path in _all_paths(config) if not is_url(path)], root)]


def remote(config: FastaDataset, root: Path) -> dict[str, str]:
    """The fingerprint of each file behind a URL. Raises DataError as `files` does."""
    found = find_files([path for path in _all_paths(config) if is_url(path)], root)
    return {file.name: file.fingerprint() for file in found if isinstance(file, RemoteFile)}


def batches(config: FastaDataset, root: Path) -> Iterator[pa.RecordBatch]:
    """The records of all files, some at a time. Prints how many were left out, if any.

    Raises DataError for files that are no FASTA, and for records that cannot be used, which are all counted first.
    """
    by_label = find_split_files(config.paths, root)
    found = columns(config, root)
    several = sum(map(len, by_label.values())) > 1
    bad = BadRows(found.all, {LABEL: "target"} | {found.roles[role].name: role for role in found.roles}, several)
    table = read_labels(config.labels, root, config.group) if config.labels else None
    for label, file in ((label, file) for label, files in by_label.items() for file in files):
        read = _reader(config, label, table)
        for some in _in_parts(enumerate(records(file), start=1)):
            batch = bad.read(file, _rows(some, read, found))
            if batch.num_rows and (not bad.num_bad or config.on_bad_row == SKIP):
                yield batch
    where = file.name if not several else f"dataset {config.name}"
    if bad.num_bad and config.on_bad_row == REFUSE:
        raise bad.error(where)
    if bad.num_bad == bad.num_rows:
        raise DataError(f"{where}: no records that can be used ({bad.summary()}), expected one or more.")
    if bad.num_bad:
        print(f"{config.name}: {bad.summary()}")
    if table is not None and (unused := table.num_unused()):
        print(f"{config.name}: {unused} of the ids in {config.labels} are in no header")


def _in_parts(numbered: Iterator[tuple[int, Record]]) -> Iterator[list[tuple[int, Record]]]:
    """The records some at a time: so many that they have LETTERS_AT_ONCE, or else RECORDS_AT_ONCE."""
    part, num_letters = list[tuple[int, Record]](), 0
    for number, record in numbered:
        part.append((number, record))
        num_letters += len(record.letters)
        if num_letters >= LETTERS_AT_ONCE or len(part) == RECORDS_AT_ONCE:
            yield part
            part, num_letters = [], 0
    if part:
        yield part


# It gives the label and the group of a record, or why it has none.
Reader = Callable[[Record], tuple[str, str | None] | str]


def _reader(config: FastaDataset, label: str, table: Labels | None) -> Reader:
    if table is not None:
        return table.of
    if not config.header:
        return lambda record: (label, None)
    pattern = config.pattern

    def by_header(record: Record) -> tuple[str, str | None] | str:
        found = pattern.search(record.header)
        if not found or not found["label"]:
            return f"header {shown(record.header)} has no label by dataset.header"
        group = found[GROUP] if GROUP in pattern.groupindex else None
        if group is None and GROUP in pattern.groupindex:
            return f"header {shown(record.header)} has no group by dataset.header"
        return found["label"], group

    return by_header


def _rows(some: list[tuple[int, Record]], read: Reader, found: Columns) -> Rows:
    """Records with their numbers as rows. A row's place is its number and its line."""
    values: dict[str, list[str | None]] = {column.name: [] for column in found.all}
    places, unreadable = [], []
    for number, record in some:
        place, answer = f"{number} (line {record.line})", read(record)
        if not record.letters:
            unreadable.append((place, f"header {shown(record.header)} without a sequence"))
        elif isinstance(answer, str):
            unreadable.append((place, answer))
        else:
            places.append(place)
            for name, value in zip(values, (record.letters, *answer), strict=False):
                values[name].append(value)
    arrays = {name: pa.array(column, pa.string()) for name, column in values.items()}
    return Rows(arrays, np.array(places, object), unreadable)


SOURCE = Source(FastaDataset, lambda config: ["sequence"], columns, batches, files, remote)
