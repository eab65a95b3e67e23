"""Find the folder with the splits that a training reads, and prepare them there if they are missing."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from pipeline import locks, stages
from pipeline.config import Config, PrepareConfig
from pipeline.data.downloads import fetch
from pipeline.data.raw_files import digests_of_files
from pipeline.data.writing import write_prepared
from pipeline.files import digest_value, replacing_folder
from pipeline.layout import Layout

DIGEST_DIGITS = 12


def prepared_folder(config: Config, layout: Layout) -> Path:
    """The folder with the splits for this configuration. The splits are prepared if the folder is missing.

    A DVC stage names its `output`. It trains on the data that DVC has prepared, if these are what this configuration
    asks for. A run by hand and a job of a sweep name no output, and neither read nor write DVC's data.
    """
    fetch(config.dataset, layout)
    dataset = PrepareConfig(config.split, config.dataset)
    wanted = asdict(dataset) | {"files": digests_of_files(config.dataset, layout)}
    if config.output is not None and _prepared_by_dvc(wanted, layout):
        return layout.prepared(config.dataset.name)
    return _prepared_by_hand(dataset, wanted, layout)


def _prepared_by_dvc(wanted: dict[str, Any], layout: Layout) -> bool:
    """Whether this dataset and split are as the stage `configure` has resolved them for the stage `prepare`. They are
    not where the command line overrides one of their values."""
    path = stages.resolved_file(layout, "prepare", wanted["dataset"]["name"])
    if not path.is_file():
        return False
    resolved = yaml.safe_load(path.read_text(encoding="utf-8"))
    return all(resolved.get(key) == value for key, value in wanted.items())


def _prepared_by_hand(config: PrepareConfig, values: dict[str, Any], layout: Layout) -> Path:
    """The folder with the splits of exactly these values, code and lock file. They are prepared if it is missing.

    It is for runs by hand: DVC knows nothing of their overrides, so its outputs in data/prepared/ are neither read nor
    written.
    """
    code, packages = stages.code_of(layout, "prepare", values), stages.lock_digest(layout)
    digest = digest_value([values, code, packages])[:DIGEST_DIGITS]
    folder = layout.prepared_by_hand(f"{config.dataset.name}-{digest}")
    with locks.hold(folder.with_name(f"{folder.name}.lock"), f"the preparation of {config.dataset.name}"):
        if not folder.is_dir():
            with replacing_folder(folder) as fresh:
                write_prepared(config, fresh, layout.root, fresh)
    return folder
