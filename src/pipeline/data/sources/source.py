"""What a source is."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.config import DatasetConfig
from pipeline.config.data import ROLE_TYPES, ROLES
from pipeline.data.schema import Column
from pipeline.data.types.category import CategoryColumn
from pipeline.data.types.number import NumberColumn
from pipeline.errors import DataError, did_you_mean
from pipeline.layout import TEST, TRAIN, VALIDATION
from pipeline.tasks import TASKS

FOLD_OF_FILES = ":fold"  # the column that says which split a row's file is for
# the settings that name files, and the split of their rows where there is a `test_path`
PATHS = {"path": TRAIN, "validation_path": VALIDATION, "test_path": TEST}
START = "start"  # the role of a column that says when a row begins, where `time` is when it ends; no dataset names it


@dataclass(frozen=True)
class Columns:
    """What a source gives: the features in their order, the target, and the columns that have a role, by role."""

    features: list[Column]
    target: Column
    roles: dict[str, Column] = field(default_factory=dict)

    @property
    def all(self) -> list[Column]:
        return [*self.features, self.target, *self.roles.values()]

    def with_roles_of(self, config: DatasetConfig) -> "Columns":
        """The same columns, of which those that the dataset gives a role are no features any more. Raises DataError for
        a name that no feature has, and for a column whose type a role cannot have."""
        named = {role: getattr(config, role) for role in ROLES if getattr(config, role) is not None}
        known = {column.name: column for column in self.features}
        roles = dict(self.roles)
        for role in set(named) - set(roles):
            name, types = named[role], ROLE_TYPES[role]
            if name not in known:
                raise DataError(f"dataset {config.name}: {role} '{name}' is no column {did_you_mean(name, known)}")
            if known[name].config.type not in types:
                raise DataError(
                    f"dataset {config.name}: {role} '{name}' is of type {known[name].config.type}, expected "
                    f"{' or '.join(types)}."
                )
            roles[role] = known[name]
        return Columns([column for column in self.features if column.name not in named.values()], self.target, roles)


def target_column(config: DatasetConfig, name: str, classes: Sequence[str] = ()) -> Column:
    """A target of the type that the dataset's task asks for. `classes` are its classes in their order; if there are
    none, all values are classes, sorted."""
    if TASKS[config.task].has_classes:
        return Column(name, CategoryColumn("category", values=list(classes)))
    return Column(name, NumberColumn("number"))


def of_split(batch: pa.RecordBatch, split: str) -> pa.RecordBatch:
    """The rows with one more column, which says that they are in this split."""
    return batch.append_column(FOLD_OF_FILES, pa.repeat(pa.scalar(split), batch.num_rows))


def no_files(config: DatasetConfig, root: Path) -> list[Path]:
    return []


def no_remote(config: DatasetConfig, root: Path) -> dict[str, str]:
    return {}


def unknown(config: DatasetConfig) -> dict[str, float]:
    return {}


@dataclass(frozen=True)
class Source:
    """`config` is the dataclass of the source's configuration. `types(config)` are the types of the features, which
    must be known without reading any data. `columns(config, root)` says what the rows hold, and `batches(config, root)`
    gives them, some at a time: each column by its name, in the storage of its type. `files(config, root)` are the files
    from which the rows come, and `remote(config, root)` are those elsewhere: for the URL of each, a text that changes
    when it does. `root` is the top folder of the checkout, to which paths are relative. `best_possible(config)` holds
    the test metrics that no model can exceed, as far as they are known by the way in which the rows are made, such as
    {"accuracy": 0.98} where one label in fifty is drawn at random.

    A source for NumPy archives, for example, in the file data/sources/npz.py::

        @dataclass
        class NpzDataset(DatasetConfig):
            path: str = MISSING

        def columns(config: NpzDataset, root: Path) -> Columns:
            width = np.load(root / config.path)["x"].shape[1]
            return Columns([Column(f"x{i}", NumberColumn("number")) for i in range(width)], target_column(config, "y"))

        def batches(config: NpzDataset, root: Path) -> Iterator[pa.RecordBatch]:
            arrays = np.load(root / config.path)
            columns = {f"x{i}": values.astype(float) for i, values in enumerate(arrays["x"].T)}
            yield pa.RecordBatch.from_pydict(columns | {"y": arrays["y"].astype(float)})

        def files(config: NpzDataset, root: Path) -> list[Path]:
            return [root / config.path]

        SOURCE = Source(NpzDataset, lambda config: ["number"], columns, batches, files)

    With `"npz": npz.SOURCE` in SOURCES, conf/dataset/sensors.yaml describes a dataset of it::

        defaults:
          - npz_schema

        path: data/raw/sensors.npz
        task: regression
    """

    config: type[DatasetConfig]
    types: Callable[[Any], list[str]]
    columns: Callable[[Any, Path], Columns]
    batches: Callable[[Any, Path], Iterator[pa.RecordBatch]]
    files: Callable[[Any, Path], list[Path]] = no_files
    remote: Callable[[Any, Path], dict[str, str]] = no_remote
    best_possible: Callable[[Any], dict[str, float]] = unknown
