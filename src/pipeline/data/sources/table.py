"""Tables in files: CSV, Parquet, JSON lines and Arrow. conf/dataset/ says what each column is; nothing is guessed."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
from omegaconf import MISSING

from pipeline.config.checks import check
from pipeline.config.data import FOLD, ROLE_TYPES, ROLES
from pipeline.data.declared import column_config
from pipeline.data.schema import Column
from pipeline.data.sources.source import FOLD_OF_FILES, PATHS, Columns, Source, of_split
from pipeline.data.sources.table_files import TableFiles, files, read_tables, remote
from pipeline.data.types.category import CategoryColumn
from pipeline.data.types.number import STANDARD, NumberColumn
from pipeline.tasks import TASKS


@dataclass
class TableDataset(TableFiles):
    """The files are those of TableFiles.

    `columns` holds a type's name for each column, or its `type` and options. What is not named is not read, except the
    target and the columns with a role, which are no features even if they are named.
    """

    target: str = MISSING
    columns: dict[str, Any] = field(default_factory=dict)

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


def batches(config: TableDataset, root: Path) -> Iterator[pa.RecordBatch]:
    """The rows of all files, some at a time. Raises DataError as `read_tables` does."""
    found = columns_of(config)
    required = {config.target: "target"} | {column.name: role for role, column in found.roles.items()}
    required |= {column.name: "content" for column in found.features if column.type.is_content}
    origin = config.contract is not None
    for key, _, batch in read_tables(config, root, found.all, required, found.features, origin=origin):
        yield of_split(batch, PATHS[key]) if config.has_test_files else batch


SOURCE = Source(TableDataset, types, columns, batches, files, remote)
