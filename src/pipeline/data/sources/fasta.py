"""Sequences in FASTA files, labelled by a pattern of the header, by their file, or by a table of ids."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
from omegaconf import MISSING

from pipeline.config import DatasetConfig, TextConfig
from pipeline.config.checks import check, one_of
from pipeline.config.data import FOLD, GROUP
from pipeline.data.formats.bad_rows import BadRows
from pipeline.data.formats.fasta import records
from pipeline.data.formats.finding import find_split_files
from pipeline.data.formats.remote import RemoteFile, is_url
from pipeline.data.formats.rows import TableFile
from pipeline.data.heard import tell_left_out
from pipeline.data.schema import Column
from pipeline.data.sources.fasta_labels import read_labels
from pipeline.data.sources.fasta_rows import in_parts, reader_of, rows_of
from pipeline.data.sources.source import FOLD_OF_FILES, PATHS, Columns, Source, of_split, target_column
from pipeline.data.types.category import CategoryColumn
from pipeline.data.types.sequence import ACCEPT, SequenceColumn
from pipeline.errors import ConfigError, DataError

SEQUENCE, LABEL = "sequence", "label"
REFUSE, SKIP = ON_BAD_ROW = ("refuse", "skip")


@dataclass(frozen=True)
class Part:
    """Files whose records are for one split where there is a `test_path`, and have one label if it is not empty."""

    split: str
    label: str
    paths: list[Any]


@dataclass
class FastaDataset(DatasetConfig):
    """`path` is a file, a glob, a folder, or a list of these, relative to the top folder of the checkout; gzipped files
    end with .gz. A sequence's label comes from one of three places:

    - `header` is a regular expression for a part of the header, with a group `label`, and perhaps a group `group`.
    - `path` is a mapping from each label to its files.
    - `labels` is a table with a column `id`, the header up to its first blank, and a column `label`. Of its other
      columns, `group` may name one.

    With `split: given`, the records for testing stand in files of their own, `test_path`, and those for validation in
    `validation_path`; they are mappings where `path` is one. `labels` then names the ids of all of them.

    `alphabet`, `letters` and `ambiguous` are those of the type sequence. `encoding` is that of all files, and
    `separator` stands between the cells of the table, both as in TextConfig. `on_bad_row` says whether records and rows
    of the table that cannot be used are refused, or left out and counted.
    """

    path: Any = MISSING
    test_path: Any = None
    validation_path: Any = None
    header: str = ""
    labels: str = ""
    alphabet: str = "dna"
    letters: str = ""
    ambiguous: str = ACCEPT
    separator: str | None = None
    encoding: str = "utf-8"
    on_bad_row: str = REFUSE

    def check(self) -> None:
        super().check()
        one_of("dataset.on_bad_row", self.on_bad_row, ON_BAD_ROW)
        self.text.check_text("dataset.")
        self._check_paths()
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

    def _check_paths(self) -> None:
        for name, part in self.parts.items():
            good = bool(part.paths) and all(isinstance(path, str) for path in part.paths)
            expected = "a file, a glob or a folder, or a list of these, or a mapping of labels to them"
            check(good, f"dataset.{name}", part.paths, expected)
        for name in ("test_path", "validation_path"):
            found, by_label = getattr(self, name), isinstance(self.path, Mapping)
            alike = found is None or isinstance(found, Mapping) == by_label
            form = "a mapping of labels to files" if by_label else "no mapping"
            check(alike, f"dataset.{name}", found, f"{form}, as path is")
        given = self.test_path is None or self.split == "given"
        check(given, "dataset.test_path", self.test_path, "nothing unless split: given")
        alone = self.validation_path is None or self.has_test_files
        check(alone, "dataset.validation_path", self.validation_path, "nothing without test_path")
        grouped = self.has_test_files and GROUP in self.pattern.groupindex
        check(not grouped, "dataset.header", self.header, "no group (?P<group>...) with test_path")

    @property
    def has_test_files(self) -> bool:
        return self.test_path is not None

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
    def parts(self) -> dict[str, Part]:
        """What each setting names that is set, by its name, such as `test_path`, or `path.up` where it has labels."""
        found = {}
        for key, split in PATHS.items():
            given = getattr(self, key)
            by_label = dict(given) if isinstance(given, Mapping) else {"": given} if given is not None else {}
            for label, path in by_label.items():
                paths = list(path) if isinstance(path, list | tuple) else [path]
                found[f"{key}.{label}" if isinstance(given, Mapping) else key] = Part(split, str(label), paths)
        return found

    @property
    def text(self) -> TextConfig:
        """How the table of labels is written."""
        return TextConfig(self.separator, encoding=self.encoding)

    @property
    def column(self) -> SequenceColumn:
        settings = (self.alphabet, self.letters, self.ambiguous)
        return SequenceColumn("sequence", None, *settings)


def columns(config: FastaDataset, root: Path) -> Columns:
    """The columns of the records, and one that says in which split a record is, if its file says so."""
    found = _columns_of_records(config)
    if not config.has_test_files:
        return found
    return replace(found, roles=found.roles | {FOLD: Column(FOLD_OF_FILES, CategoryColumn("category"))})


def _columns_of_records(config: FastaDataset) -> Columns:
    groups = {GROUP: Column(config.group or GROUP, CategoryColumn("category"))} if _has_groups(config) else {}
    return Columns([Column(SEQUENCE, config.column)], target_column(config, LABEL), groups)


def _has_groups(config: FastaDataset) -> bool:
    return config.group is not None or (bool(config.header) and GROUP in config.pattern.groupindex)


def _all_files(config: FastaDataset, root: Path, remote: bool) -> list[TableFile]:
    """The files of sequences and of labels that are behind a URL, or those that are not."""
    named = {name: part.paths for name, part in config.parts.items()} | {
        "labels": [config.labels] * bool(config.labels)
    }
    chosen = {name: [path for path in paths if is_url(path) == remote] for name, paths in named.items()}
    return [file for found in find_split_files(chosen, root).values() for file in found]


def files(config: FastaDataset, root: Path) -> list[Path]:
    """The files on this machine. Raises DataError for paths that name none."""
    return [file.origin for file in _all_files(config, root, remote=False)]


def remote(config: FastaDataset, root: Path) -> dict[str, str]:
    """The fingerprint of each file behind a URL. Raises DataError as `files` does."""
    found = _all_files(config, root, remote=True)
    return {file.name: file.fingerprint() for file in found if isinstance(file, RemoteFile)}


def batches(config: FastaDataset, root: Path) -> Iterator[pa.RecordBatch]:
    """The records of all files, some at a time. Prints how many were left out, if any.

    Raises DataError for files that are no FASTA, and for records that cannot be used, which are all counted first.
    """
    parts, found = config.parts, _columns_of_records(config)
    by_setting = find_split_files({name: part.paths for name, part in parts.items()}, root)
    several = sum(map(len, by_setting.values())) > 1
    required = {LABEL: "target"} | {found.roles[role].name: role for role in found.roles}
    bad = BadRows(found.all, required, several, config.on_bad_row == REFUSE, origin=config.contract is not None)
    table = read_labels(config.labels, root, config.group, config.text, config.on_bad_row) if config.labels else None
    for part, file in ((parts[name], file) for name, files in by_setting.items() for file in files):
        read = reader_of(part.label, config.pattern if config.header else None, table)
        for some in in_parts(enumerate(records(file, config.encoding), start=1)):
            batch = bad.read(file, rows_of(some, read, found))
            if batch.num_rows and (not bad.num_bad or config.on_bad_row == SKIP):
                yield of_split(batch, part.split) if config.has_test_files else batch
    where = file.name if not several else f"dataset {config.name}"
    if bad.num_bad and config.on_bad_row == REFUSE:
        raise bad.error(where)
    if bad.num_bad == bad.num_rows:
        raise DataError(f"{where}: no records that can be used ({bad.summary()}), expected one or more.")
    if bad.num_bad:
        tell_left_out(config.name, bad.summary())
    if table is not None and (unused := table.num_unused()):
        print(f"{config.name}: {unused} of the ids in {config.labels} are in no header")


SOURCE = Source(FastaDataset, lambda config: ["sequence"], columns, batches, files, remote)
