"""What a prepared dataset holds: its columns, target and classes (schema.json)."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.config import ColumnConfig, TextFeaturesConfig
from pipeline.data.types import TYPES
from pipeline.data.types.type import Type
from pipeline.errors import DataError
from pipeline.files import write_text
from pipeline.layout import PREPARED, SCHEMA
from pipeline.tasks import TASKS


@dataclass(frozen=True)
class Column:
    """One column. A `nullable` one has missing values in the data, so a model of it takes them too. `categories` are
    the texts that a column of categories holds, unless there are very many; `loses_texts` says whether a data frame
    would change one of them, as 007 to 7. `mean_bytes` is how many bytes the stored
    values have on average, where their size varies. In the schema of a model, `as_bytes` says that it takes the bytes
    of texts, and `hashed` how it takes their words where no vocabulary is learned."""

    name: str
    config: ColumnConfig
    nullable: bool = False
    categories: list[str] = field(default_factory=list)
    loses_texts: bool = False
    mean_bytes: int = 0
    as_bytes: bool = False
    hashed: TextFeaturesConfig | None = None

    @property
    def type(self) -> Type:
        return TYPES[self.config.type]

    @property
    def storage(self) -> pa.DataType:
        return self.type.storage(self.config)

    @property
    def value_bytes(self) -> int:
        """About how many bytes a value takes in memory."""
        return max(self.type.value_bytes(self.config), self.mean_bytes)


@dataclass(frozen=True)
class Schema:
    """`features` are the inputs of a model. `classes` is empty for a regression."""

    dataset: str
    task: str
    split: str
    features: list[Column]
    target: str
    classes: list[str]

    @property
    def num_outputs(self) -> int:
        """How many values a model's head gives for a row."""
        return TASKS[self.task].num_outputs(len(self.classes))

    @property
    def row_bytes(self) -> int:
        """About how many bytes the features of a row take in memory."""
        return sum(column.value_bytes for column in self.features)

    @property
    def types(self) -> list[str]:
        """The types of the features, each once."""
        return list(dict.fromkeys(column.config.type for column in self.features))

    def of_type(self, name: str) -> list[Column]:
        """The features of a type."""
        return [column for column in self.features if column.config.type == name]

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2) + "\n"

    @classmethod
    def of_json(cls, text: str) -> "Schema":
        """Raises ValueError, TypeError, KeyError or AttributeError for what `to_json` has not written."""
        values: dict[str, Any] = json.loads(text)
        return cls(features=[_column(entry) for entry in values.pop("features")], **values)

    def write(self, folder: Path) -> None:
        write_text(folder / SCHEMA, self.to_json())

    @classmethod
    def read(cls, folder: Path) -> "Schema":
        """schema.json of a prepared dataset. Raises DataError where it is missing or damaged."""
        path = folder / SCHEMA
        try:
            return cls.of_json(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise DataError(f"{path}: not found. {remedy(folder)}") from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise DataError(f"{path}: not a schema of this version ({error}). {remedy(folder, again=True)}") from error


def _column(entry: dict[str, Any]) -> Column:
    """The column of what `to_json` has written of it."""
    config = TYPES[entry["config"]["type"]].config(**entry["config"])
    hashed = entry.get("hashed") and TextFeaturesConfig(**entry["hashed"])
    return Column(**{**entry, "config": config, "hashed": hashed})


def remedy(folder: Path, again: bool = False) -> str:
    """The sentence that tells a user how to make a folder of prepared data anew. DVC's own folders have a command."""
    if folder.parent.name == PREPARED:
        return f"Run: dvc repro {'-f ' if again else ''}prepare@{folder.name}"
    return f"Remove {folder} and run the same command again."
