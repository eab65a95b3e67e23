"""Where the splits stand that a training reads."""

from dataclasses import asdict
from pathlib import Path

import yaml

from pipeline import locks, stages
from pipeline.config import Config, PrepareConfig
from pipeline.data.writing import write_prepared
from pipeline.files import digest_value, replacing_folder
from pipeline.layout import Layout

DIGEST_DIGITS = 12


def prepared_folder(config: Config, layout: Layout) -> Path:
    """The folder with the splits for this configuration, prepared if it is missing.

    A stage of DVC names its output, and trains on the data that DVC prepared, if that is what this configuration asks
    for. A run by hand, and a sweep's job, touch neither.
    """
    wanted = PrepareConfig(config.split, config.dataset)
    if config.output is not None and _is_dvcs(wanted, layout):
        return layout.prepared(config.dataset.name)
    return _prepared_by_hand(wanted, layout)


def _is_dvcs(config: PrepareConfig, layout: Layout) -> bool:
    """Whether this dataset and split are as the stage `configure` has resolved them for the stage `prepare`; not so
    where a command overrides one."""
    path = stages.resolved_file(layout, "prepare", config.dataset.name)
    if not path.is_file():
        return False
    resolved = yaml.safe_load(path.read_text(encoding="utf-8"))
    return all(resolved.get(key) == value for key, value in asdict(config).items())


def _prepared_by_hand(config: PrepareConfig, layout: Layout) -> Path:
    """The folder with the splits of exactly this configuration, sources and lock file; prepared if it is missing.

    For runs by hand, whose overrides DVC knows nothing of: its outputs in data/prepared/ are neither read nor written.
    """
    values = asdict(config)
    code, packages = stages.code_of(layout, "prepare", values), stages.lock_digest(layout)
    digest = digest_value([values, code, packages])[:DIGEST_DIGITS]
    folder = layout.prepared_by_hand(f"{config.dataset.name}-{digest}")
    with locks.hold(folder.with_name(f"{folder.name}.lock"), f"the preparation of {config.dataset.name}"):
        if not folder.is_dir():
            with replacing_folder(folder) as fresh:
                write_prepared(config, fresh)
    return folder
