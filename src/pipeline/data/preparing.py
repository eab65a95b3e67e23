"""From a dataset's source to its splits on disk."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import yaml

from pipeline import locks, stages
from pipeline.config import PrepareConfig
from pipeline.data import prepared, splits
from pipeline.data.schema import Schema
from pipeline.data.sources import SOURCES
from pipeline.files import digest_value, replacing_folder, write_json
from pipeline.layout import SPLITS, SUMMARY, TRAIN, Layout

DIGEST_DIGITS = 12


def write_prepared(config: PrepareConfig, folder: Path) -> dict[str, dict[str, int]]:
    """Write train, validation and test as Parquet, schema.json, and summary.json (rows by split and class) into
    `folder`; return the summary. Prints the columns that are constant in training. Raises DataError for rows that no
    model can learn from."""
    dataset = config.dataset
    table = SOURCES[dataset.source].load(dataset)
    if dataset.weight is not None:
        table = table.weighted_by(dataset.name, dataset.weight)
    table.check(dataset.name, dataset.task)
    digests = splits.row_digests(table)
    ids = np.array(splits.row_ids(digests))
    places = splits.assign(digests, config.split)
    if dataset.split == "none":
        chosen = {split: np.ones(table.num_rows, bool) for split in SPLITS}
        summary = {split: {"rows": table.num_rows} for split in SPLITS}
    else:
        chosen = {split: places == split for split in SPLITS}
        summary = splits.counts(table, places)
        splits.check_counts(dataset.name, summary)
    if constant := table.constant_columns(chosen[TRAIN]):
        print(f"{dataset.name}: constant in the training rows, so that no model learns from it: {', '.join(constant)}")
    for split in SPLITS:
        prepared.write_split(folder, split, table, ids, chosen[split])
    Schema(
        dataset.name,
        dataset.task,
        dataset.modality,
        dataset.split,
        table.classes,
        table.features,
        table.target_name,
    ).write(folder)
    write_json(folder / SUMMARY, summary)
    return summary


def is_dvcs(config: PrepareConfig, layout: Layout) -> bool:
    """Whether this dataset and split are as the stage `configure` has resolved them for the stage `prepare`; not so
    where a command overrides one."""
    path = stages.resolved_file(layout, "prepare", config.dataset.name)
    if not path.is_file():
        return False
    resolved = yaml.safe_load(path.read_text(encoding="utf-8"))
    return all(resolved.get(key) == value for key, value in asdict(config).items())


def prepared_for(config: PrepareConfig, layout: Layout) -> Path:
    """The folder with the splits of exactly this configuration, sources and lock file; prepared if it is missing.

    For runs by hand, whose overrides DVC knows nothing of: its outputs in data/prepared/ are neither read nor written.
    """
    digest = digest_value(stages.used_by(layout, "prepare", asdict(config)))[:DIGEST_DIGITS]
    folder = layout.prepared_by_hand(f"{config.dataset.name}-{digest}")
    with locks.hold(folder.with_name(f"{folder.name}.lock"), f"the preparation of {config.dataset.name}"):
        if not folder.is_dir():
            with replacing_folder(folder) as fresh:
                write_prepared(config, fresh)
    return folder
