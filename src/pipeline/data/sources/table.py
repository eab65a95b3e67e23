"""Tables in files: CSV, Parquet, JSON lines and Arrow. conf/dataset/ says what each column is; nothing is guessed."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
from omegaconf import MISSING

from pipeline.config import DatasetConfig, TextConfig
from pipeline.config.checks import check, one_of
from pipeline.config.data import FOLD, ROLE_TYPES, ROLES
from pipeline.data.constant import ConstantColumns
from pipeline.data.declared import column_config
from pipeline.data.formats import FORMATS
from pipeline.data.formats.bad_rows import BadRows
from pipeline.data.formats.finding import AUTO, check_same_columns, find_split_files, format_of
from pipeline.data.formats.remote import RemoteFile, is_url
from pipeline.data.formats.rows import layout_of
from pipeline.data.schema import Column
from pipeline.data.sources.source import FOLD_OF_FILES, PATHS, Columns, Source, of_split
from pipeline.data.types.category import CategoryColumn
from pipeline.data.types.number import STANDARD, NumberColumn
from pipeline.errors import DataError
from pipeline.tasks import TASKS

REFUSE, SKIP = ON_BAD_ROW = ("refuse", "skip")
ACCEPT = "accept"
ROW = ":row"  # the column with the numbers of rows


@dataclass
class TableDataset(DatasetConfig, TextConfig):
    """`path` is a file, a glob, a folder, or a list of these, relative to the top folder of the checkout; each may be a
    URL. With `split: given`, the test rows may stand in files of their own, `test_path`, and those for validation in
    `validation_path`.

    `columns` holds a type's name for each column, or its `type` and options. What is not named is not read, except the
    target and the columns with a role, which are no features even if they are named. `missing` are the texts that stand
    for a missing value in each column that has none of its own.

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
    target: str = MISSING
    columns: dict[str, Any] = field(default_factory=dict)
    format: str = AUTO
    missing: list[str] = field(default_factory=list)
    on_bad_row: str = REFUSE
    constant: str = REFUSE

    def check(self) -> None:
        super().check()
        self.check_files()
        roles = [getattr(self, role) for role in ROLES]
        check(self.target not in roles, "dataset.target", self.target, "a column without a role")
        columns = columns_of(self)
        check(bool(columns.features), "dataset.columns", list(self.columns), "one feature or more beside the target")
        allowed = ROLE_TYPES | {"target": ("category",) if TASKS[self.task].has_classes else ("number",)}
        for role, column in ({"target": columns.target} | columns.roles).items():
            expected = f"{' or '.join(allowed[role])} for the {role}"
            check(column.config.type in allowed[role], f"dataset.columns.{column.name}", column.config.type, expected)
            if isinstance(column.config, NumberColumn):
                for option, usual in (("scale", STANDARD), ("clip", None)):
                    found = getattr(column.config, option)
                    where = f"dataset.columns.{column.name}.{option}"
                    check(found == usual, where, found, f"none for the {role}, since it is for features")

    def check_files(self) -> None:
        """Raise ConfigError for settings that say wrongly which files there are and how they are read."""
        one_of("dataset.format", self.format, (AUTO, *FORMATS))
        one_of("dataset.on_bad_row", self.on_bad_row, ON_BAD_ROW)
        one_of("dataset.constant", self.constant, (REFUSE, ACCEPT))
        self.check_text("dataset.")
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


def declared(config: TableDataset, name: str, otherwise: str = "") -> Column:
    """A column as `columns` declares it, or of the type `otherwise` where it does not. Raises ConfigError."""
    made = column_config(f"dataset.columns.{name}", config.columns.get(name, otherwise))
    missing = config.missing if made.missing is None else made.missing
    return Column(name, replace(made, missing=list(missing)))


def columns_of(config: TableDataset) -> Columns:
    """The columns that the files must have: the features in the order of the YAML file, the target, and the columns
    with a role. Raises ConfigError."""
    roles = {role: getattr(config, role) for role in ROLES if getattr(config, role) is not None}
    others = {config.target, *roles.values()}
    features = [declared(config, name) for name in config.columns if name not in others]
    target = declared(config, config.target, "category" if TASKS[config.task].has_classes else "number")
    with_role = {role: declared(config, name, ROLE_TYPES[role][0]) for role, name in roles.items()}
    return Columns(features, target, with_role)


def types(config: TableDataset) -> list[str]:
    """The types of the features."""
    return [column.config.type for column in columns_of(config).features]


def columns(config: TableDataset, root: Path) -> Columns:
    """The columns that the configuration names; `batches` checks that the files have them. Which files a row comes
    from is one more, if that says in which split it is."""
    found = columns_of(config)
    if not config.has_test_files:
        return found
    return replace(found, roles=found.roles | {FOLD: Column(FOLD_OF_FILES, CategoryColumn("category"))})


def files(config: TableDataset, root: Path) -> list[Path]:
    """The files of the table on this machine. Raises DataError for paths that name none."""
    paths = {key: [path for path in of_key if not is_url(path)] for key, of_key in config.paths.items()}
    return [file.origin for found in find_split_files(paths, root).values() for file in found]


def remote(config: TableDataset, root: Path) -> dict[str, str]:
    """The fingerprint of each file of the table that stands behind a URL. Raises DataError as `files` does."""
    urls = {key: [path for path in of_key if is_url(path)] for key, of_key in config.paths.items()}
    found = [file for files in find_split_files(urls, root).values() for file in files]
    return {file.name: file.fingerprint() for file in found if isinstance(file, RemoteFile)}


def batches(config: TableDataset, root: Path) -> Iterator[pa.RecordBatch]:
    """The rows of all files, some at a time. Raises DataError as `read_tables` does."""
    found = columns_of(config)
    required = {config.target: "target"} | {column.name: role for role, column in found.roles.items()}
    required |= {column.name: "content" for column in found.features if column.type.is_content}
    for key, _, batch in read_tables(config, root, found.all, required, found.features):
        yield of_split(batch, PATHS[key]) if config.has_test_files else batch


def read_tables(
    config: TableDataset,
    root: Path,
    columns: list[Column],
    required: dict[str, str],
    features: list[Column],
    numbered: bool = False,
) -> Iterator[tuple[str, str, pa.RecordBatch]]:
    """These columns of the rows of all files, some at a time, with the key of PATHS and the name of the file that they
    come from. Rows must have a value in each column of `required` (name to what it is). Where they are `numbered`, one
    more column, ROW, has their numbers in their file. Prints how many were left out, if any.

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
    bad = BadRows(read, required, several=len(found) > 1)
    # An image or a recording is not looked at as the values of a table are.
    constant = ConstantColumns([column for column in features if not column.type.is_content])
    num_rows = dict.fromkeys(by_key, 0)
    for key, file in ((key, file) for key, files in by_key.items() for file in files):
        for rows in format.rows(file, layout):
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
        print(f"{config.name}: {bad.summary()}")
    if config.constant == REFUSE and (names := constant.found()):
        raise DataError(
            f"{where}: {', '.join(names)}: one value in all rows, from which no model learns. Leave such a column out, "
            "or set constant: accept."
        )


def _check_rows(config: TableDataset, where: str, bad: BadRows, empty: list[str]) -> None:
    """Raise DataError for bad rows, unless they are to be skipped, and where a setting names files of no good row."""
    if bad.num_bad and config.on_bad_row == REFUSE:
        raise bad.error(where)
    if empty:
        lost = f": {bad.summary()}" if bad.num_bad else ""
        place = f"{where}, {empty[0]}" if config.has_test_files else where
        raise DataError(f"{place}: no rows{lost}, expected one or more.")


SOURCE = Source(TableDataset, types, columns, batches, files, remote)
