"""The identity of a training run, identity.json: a digest of exactly what its DVC stage depends on.

pipeline/stages.py says what a stage depends on. Everything else in the pipeline finds a run by its identity.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TypedDict, cast

from pipeline import stages
from pipeline.config import Config
from pipeline.errors import ArtifactError, DataError
from pipeline.files import digest_value
from pipeline.layout import IDENTITY, MANIFEST, SPLITS, Layout, experiment_of, split_file

IDENTITY_DIGITS = 12


class Identity(TypedDict):
    """The content of identity.json.

    `identity` is the run's name. The other entries are what that name was made from: `data` holds the digest of each
    split; `config`, `code` and `lock` are digests too; `experiment` and `dataset` are names.
    """

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
        data = data_digests(prepared)
    except FileNotFoundError as error:
        raise DataError(f"{error.filename}: not found. Run: dvc repro prepare@{config.dataset.name}") from error
    parts: dict[str, object] = {
        "experiment": config.name,
        "dataset": config.dataset.name,
        "config": digest_value(stages.values_of("train", values)),
        "data": data,
        "code": digest_value(stages.code_of(layout, "train", values)),
        "lock": stages.lock_digest(layout),
        "threads": config.trainer.threads,
    }
    # An experiment's name may hold a folder, as team/small does, but all runs have their folders side by side in runs/.
    name = f"{config.name.replace('/', '.')}-{digest_value(parts)[:IDENTITY_DIGITS]}"
    return cast(Identity, {"identity": name, **parts})


def features_key(config: Config, identity: Identity) -> str:
    """A name for the features that a training makes. Trainings whose features are the same share it, as the jobs of a
    sweep do that change only how a model is trained."""
    parts: dict[str, object] = {
        **{key: identity[key] for key in ("data", "code", "lock")},
        "dataset": asdict(config.dataset),
        "family": config.model.family,
        "preprocessing": asdict(config.preprocessing),
        "limit": asdict(config.trainer.limit),
        "tensorflow": asdict(config.trainer.tensorflow),
    }
    name = config.dataset.name.replace("/", ".")
    return f"{name}-{digest_value(parts)[:IDENTITY_DIGITS]}"


def data_digests(prepared: Path) -> dict[str, str]:
    """The digest of each split, as its manifest says, so that gigabytes are not read anew by each job of a sweep."""
    again = f"Remove {prepared} and run the same command again."
    try:
        manifest = json.loads((prepared / MANIFEST).read_text(encoding="utf-8"))
        known = {split: (int(manifest[split]["bytes"]), str(manifest[split]["sha256"])) for split in SPLITS}
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{prepared / MANIFEST}: damaged ({error}). {again}") from error
    for split, (expected, _) in known.items():
        path = prepared / split_file(split)
        if (found := path.stat().st_size) != expected:
            raise DataError(f"{path}: found {found} bytes, expected {expected}. {again}")
    return {split: digest for split, (_, digest) in known.items()}


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
