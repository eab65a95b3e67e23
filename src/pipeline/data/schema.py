"""What a prepared dataset holds: its features, target and classes (schema.json)."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import DataError
from pipeline.files import write_json
from pipeline.layout import PREPARED, SCHEMA
from pipeline.tasks import TASKS

NUMERIC, IMAGE = "numeric", "image"


@dataclass(frozen=True)
class Feature:
    """One raw input: a number for each row (shape []), or an image ([height, width, channels])."""

    name: str
    kind: str
    dtype: str
    shape: list[int]


@dataclass(frozen=True)
class Schema:
    dataset: str
    task: str
    modality: str
    split: str
    classes: list[str]
    features: list[Feature]
    target: str

    @property
    def num_outputs(self) -> int:
        """How many values a model's head gives for a row."""
        return TASKS[self.task].num_outputs(len(self.classes))

    def write(self, folder: Path) -> None:
        write_json(folder / SCHEMA, asdict(self))

    @classmethod
    def read(cls, folder: Path) -> "Schema":
        """schema.json of a prepared dataset. Raises DataError where it is missing or damaged."""
        path = folder / SCHEMA
        try:
            values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            features = [Feature(**entry) for entry in values.pop("features")]
            return cls(features=features, **values)
        except FileNotFoundError as error:
            raise DataError(f"{path}: not found. {remedy(folder)}") from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise DataError(f"{path}: not a schema of this version ({error}). {remedy(folder, again=True)}") from error


def remedy(folder: Path, again: bool = False) -> str:
    """The sentence that tells a user how to make a folder of prepared data anew. DVC's own folders have a command."""
    if folder.parent.name == PREPARED:
        return f"Run: dvc repro {'-f ' if again else ''}prepare@{folder.name}"
    return f"Remove {folder} and run the same command again."
