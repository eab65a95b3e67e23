"""Saves and loads the served model, as a file whose bytes depend on the model alone."""

import json
import tempfile
import warnings
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.data.schema import Schema
from pipeline.errors import ArtifactError
from pipeline.files import replacing
from pipeline.layout import SCHEMA

if TYPE_CHECKING:
    import keras

EPOCH_OF_ZIP = (1980, 1, 1, 0, 0, 0)


def save_canonical(model: "keras.Model", schema: Schema, path: Path) -> None:
    """Save a Keras model as a .keras archive, byte for byte the same for the same model.

    The archive also holds the schema of the rows that the model takes, which Keras leaves alone.

    Keras itself writes dates (in metadata.json and in the zip entries) and Python's object ids (`shared_object_id`),
    and puts the entries in no fixed order.
    """
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "model.keras"
        model.save(plain)
        with zipfile.ZipFile(plain) as archive:
            entries = {name: archive.read(name) for name in archive.namelist()}
    entries["metadata.json"] = _without_date(entries["metadata.json"])
    entries["config.json"] = _renumbered(entries["config.json"])
    entries[SCHEMA] = schema.to_json().encode()
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(entries):
            archive.writestr(zipfile.ZipInfo(name, EPOCH_OF_ZIP), entries[name])


def load_served(path: Path) -> "keras.Model":
    """The served model of a .keras archive; raises ArtifactError where it is missing or damaged."""
    import keras

    _check_archive(path)
    try:
        with warnings.catch_warnings():
            # `by_feature` in model/assembly.py says when Keras warns of this.
            warnings.filterwarnings("ignore", "When providing `inputs` as a dict")
            return keras.saving.load_model(path, compile=False)
    except (ValueError, OSError, KeyError, zipfile.BadZipFile) as error:
        reason = " ".join(str(error).split())[:200]
        raise ArtifactError(f"{path}: not a readable Keras model ({reason}). Train it again.") from error


def schema_of(path: Path) -> Schema:
    """The schema of the rows that the model of a .keras archive takes. Raises ArtifactError as `load_served` does, and
    for an archive that this pipeline has not written."""
    _check_archive(path)
    try:
        with zipfile.ZipFile(path) as archive:
            return Schema.of_json(archive.read(SCHEMA).decode())
    except (KeyError, TypeError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise ArtifactError(f"{path}: found no {SCHEMA} in it ({error}), expected a model of this pipeline.") from error


def precision_of(path: Path) -> str:
    """The `trainer.precision` with which the model of a .keras archive was trained.

    It is read without TensorFlow, because the instructions that TensorFlow may use depend on it and must be set before
    TensorFlow is imported. Raises ArtifactError as `load_served` does.
    """
    _check_archive(path)
    try:
        with zipfile.ZipFile(path) as archive:
            config = archive.read("config.json")
    except (KeyError, OSError, zipfile.BadZipFile) as error:
        raise ArtifactError(f"{path}: not a readable Keras model ({error}). Train it again.") from error
    return "mixed_bfloat16" if b'"mixed_bfloat16"' in config else "float32"


def _check_archive(path: Path) -> None:
    if not path.is_file():
        raise ArtifactError(f"{path}: not found, expected a model file (.keras).")
    if not zipfile.is_zipfile(path):  # of such a file Keras would say that it is not found
        raise ArtifactError(f"{path}: not a readable Keras model (cut off, or of another kind). Train it again.")


def _without_date(content: bytes) -> bytes:
    metadata = json.loads(content)
    metadata.pop("date_saved", None)
    return json.dumps(metadata, sort_keys=True).encode()


def _renumbered(content: bytes) -> bytes:
    """Replace the object ids, which every process has of its own, by numbers in their order of appearance."""
    numbers: dict[int, int] = {}

    def visit(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: numbers.setdefault(item, len(numbers)) if key == "shared_object_id" else visit(item)
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [visit(item) for item in value]
        return value

    return json.dumps(visit(json.loads(content))).encode()
