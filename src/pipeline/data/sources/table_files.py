"""The files of a table: which they are, how they are written, and which of their rows cannot be used."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
from omegaconf import MISSING

from pipeline.config import DatasetConfig, TextConfig
from pipeline.config.checks import check, one_of
from pipeline.data.constant import ConstantColumns
from pipeline.data.declared import QUOTED, is_list_of_texts
from pipeline.data.formats import FORMATS
from pipeline.data.formats.bad_rows import BadRows
from pipeline.data.formats.finding import AUTO, check_same_columns, find_split_files, format_of
from pipeline.data.formats.remote import RemoteFile, is_url
from pipeline.data.formats.rows import layout_of
from pipeline.data.heard import tell_left_out
from pipeline.data.schema import Column
from pipeline.data.sources.source import PATHS
from pipeline.data.types.number import NumberColumn
from pipeline.errors import DataError

REFUSE, SKIP = ON_BAD_ROW = ("refuse", "skip")
ACCEPT = "accept"
ROW = ":row"  # the column with the numbers of rows


@dataclass
class TableFiles(DatasetConfig, TextConfig):
    """`path` is a file, a glob, a folder, or a list of these, relative to the top folder of the checkout; each may be a
    URL. With `split: given`, the test rows may stand in files of their own, `test_path`, and those for validation in
    `validation_path`.

    `missing` are the texts that stand for a missing value in each column that has none of its own.

    `format` is a name in FORMATS; `auto` goes by the files' endings. For files of text, the settings of TextConfig say
    how they are written.

    `on_bad_row` says whether rows that cannot be used are refused, or left out and counted: rows with a value that is
    none of its type, with more or fewer fields, or without a target or role. Rows of data are counted from 1 in each
    file; neither a header nor an empty line is one.

    A column with one value in all rows is refused, unless `constant` is `accept`.
    """

    path: Any = MISSING
    test_path: Any = None
    validation_path: Any = None
    format: str = AUTO
    missing: Any = field(default_factory=list)
    on_bad_row: str = REFUSE
    constant: str = REFUSE

    def check_files(self) -> None:
        """Raise ConfigError for settings that say wrongly which files there are and how they are read."""
        one_of("dataset.format", self.format, (AUTO, *FORMATS))
        one_of("dataset.on_bad_row", self.on_bad_row, ON_BAD_ROW)
        one_of("dataset.constant", self.constant, (REFUSE, ACCEPT))
        self.check_text("dataset.")
        # OmegaConf would make the text "False" of YAML's unquoted no, so the type is checked here
        check(is_list_of_texts(self.missing), "dataset.missing", self.missing, f"a list of {QUOTED}")
        self.missing = [str(text) for text in self.missing]
        for key, paths in self.paths.items():
            good = bool(paths) and all(isinstance(path, str) for path in paths)
            check(good, f"dataset.{key}", getattr(self, key), "a file, a glob or a folder, or a list of these")
        given = self.test_path is None or self.split == "given"
        check(given, "dataset.test_path", self.test_path, "nothing unless split: given")
        alone = self.validation_path is None or self.has_test_files
        check(alone, "dataset.validation_path", self.validation_path, "nothing without test_path")

    @property
    def has_test_files(self) -> bool:
        return self.test_path is not None

    @property
    def paths(self) -> dict[str, list[Any]]:
        """What each key of PATHS that is set names."""
        given = {key: getattr(self, key) for key in PATHS if getattr(self, key) is not None}
        return {key: list(path) if isinstance(path, list | tuple) else [path] for key, path in given.items()}


def files(config: TableFiles, root: Path) -> list[Path]:
    """The files of the table on this machine. Raises DataError for paths that name none."""
    paths = {key: [path for path in of_key if not is_url(path)] for key, of_key in config.paths.items()}
    return [file.origin for found in find_split_files(paths, root).values() for file in found]


def remote(config: TableFiles, root: Path) -> dict[str, str]:
    """The fingerprint of each file of the table that stands behind a URL. Raises DataError as `files` does."""
    urls = {key: [path for path in of_key if is_url(path)] for key, of_key in config.paths.items()}
    found = [file for files in find_split_files(urls, root).values() for file in files]
    return {file.name: file.fingerprint() for file in found if isinstance(file, RemoteFile)}


def read_tables(
    config: TableFiles,
    root: Path,
    columns: list[Column],
    required: dict[str, str],
    features: list[Column],
    numbered: bool = False,
    origin: bool = False,
) -> Iterator[tuple[str, str, pa.RecordBatch]]:
    """These columns of the rows of all files, some at a time, with the key of PATHS and the name of the file that they
    come from. Rows must have a value in each column of `required` (name to what it is). Where they are `numbered`, one
    more column, ROW, has their numbers in their file; with `origin`, they have the columns of data/origins.py. Prints
    how many were left out, if any.

    Raises DataError for files that are not what the configuration says. All bad rows are counted before it is raised;
    no batch is given after the first of them.
    """
    by_key = find_split_files(config.paths, root)
    found = [file for files in by_key.values() for file in files]
    name = format_of(found) if config.format == AUTO else config.format
    format = FORMATS[name]
    layout = layout_of(config, name, [column.name for column in columns])
    check_same_columns(found, format, layout)
    read = [*columns, Column(ROW, NumberColumn("number"))] if numbered else columns
    bad = BadRows(read, required, several=len(found) > 1, listed=config.on_bad_row == REFUSE, origin=origin)
    # An image or a recording is not looked at as the values of a table are.
    constant = ConstantColumns([column for column in features if not column.type.is_content])
    num_rows = dict.fromkeys(by_key, 0)
    row_bytes = sum(column.value_bytes for column in columns)
    for key, file in ((key, file) for key, files in by_key.items() for file in files):
        for rows in chain.from_iterable(whole.parts(row_bytes) for whole in format.rows(file, layout)):
            if numbered:
                rows.columns[ROW] = pa.array(rows.numbers)
            batch = bad.read(file, rows)
            num_rows[key] += batch.num_rows
            constant.look_at(batch)
            if batch.num_rows and (not bad.num_bad or config.on_bad_row == SKIP):
                yield key, file.name, batch
    where = found[0].name if len(found) == 1 else f"dataset {config.name}"
    _check_rows(config, where, bad, [key for key, count in num_rows.items() if not count])
    if bad.num_bad:
        tell_left_out(config.name, bad.summary())
    if config.constant == REFUSE and (names := constant.found()):
        raise DataError(
            f"{where}: {', '.join(names)}: one value in all rows, from which no model learns. Leave such a column out, "
            "or set constant: accept."
        )


def _check_rows(config: TableFiles, where: str, bad: BadRows, empty: list[str]) -> None:
    """Raise DataError for bad rows, unless they are to be skipped, and where a setting names files of no good row."""
    if bad.num_bad and config.on_bad_row == REFUSE:
        raise bad.error(where)
    if empty:
        lost = f": {bad.summary()}" if bad.num_bad else ""
        place = f"{where}, {empty[0]}" if config.has_test_files else where
        raise DataError(f"{place}: no rows{lost}, expected one or more.")
