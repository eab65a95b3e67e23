"""The identity of a training run, identity.json: a digest of exactly what its DVC stage depends on.

What that is stands in pipeline/stages.py; everything else finds the run by the result.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypedDict, cast

from pipeline import stages
from pipeline.config import Config
from pipeline.errors import ArtifactError, DataError
from pipeline.files import digest_file, digest_value
from pipeline.layout import IDENTITY, SPLITS, Layout, experiment_of, split_file

IDENTITY_DIGITS = 12


class Identity(TypedDict):
    """`identity` is the run's name; the rest is what it was made from: digests, but for names and the threads. `data`
    holds the digest of each split."""

    identity: str
    experiment: str
    dataset: str
    config: str
    data: dict[str, str]
    code: str
    lock: str
    threads: int


def identify(config: Config, layout: Layout, prepared: Path) -> Identity:
    """The content of identity.json for this configuration, data, code, lock file and thread count."""
    values = asdict(config)
    try:
        data = {split: digest_file(prepared / split_file(split)) for split in SPLITS}
    except FileNotFoundError as error:
        raise DataError(f"{error.filename}: not found. Run: dvc repro prepare@{config.dataset.name}") from error
    parts: dict[str, Any] = {
        "experiment": config.name,
        "dataset": config.dataset.name,
        "config": digest_value({key: values[key] for key in stages.KEYS["train"]}),
        "data": data,
        "code": digest_value(stages.code_of(layout, "train", values)),
        "lock": stages.lock_digest(layout),
        "threads": config.trainer.threads,
    }
    # an experiment may stand in a folder, team/small, and the run's own folder must not
    name = f"{config.name.replace('/', '.')}-{digest_value(parts)[:IDENTITY_DIGITS]}"
    return cast(Identity, {"identity": name, **parts})


def read_identity(folder: Path) -> Identity:
    """identity.json of a trained experiment or of a version's evidence, without TensorFlow.

    Raises ArtifactError where it is missing or damaged.
    """
    path = folder / IDENTITY
    try:
        value: Identity = json.loads(path.read_text(encoding="utf-8"))
        return {**value, "identity": str(value["identity"])}
    except FileNotFoundError as error:
        raise ArtifactError(f"{path}: not found. Run: dvc repro train@{experiment_of(folder)}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ArtifactError(f"{path}: damaged ({error}). Run: dvc repro -f train@{experiment_of(folder)}") from error
