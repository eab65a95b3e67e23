"""`python -m pipeline.prepare dataset=digits`: read a source and deal its rows into splits."""

import numpy as np

from pipeline.cli import hydra_command
from pipeline.config import PrepareConfig
from pipeline.layout import SPLITS, SUMMARY, Layout


def prepare(config: PrepareConfig) -> None:
    """Write train, validation and test as Parquet, schema.json, and summary.json (rows by split and class)."""
    from pipeline.data import prepared, splits
    from pipeline.data.schema import Schema
    from pipeline.data.sources import SOURCES
    from pipeline.files import write_json

    dataset = config.dataset
    table = SOURCES[dataset.source](dataset)
    if dataset.weight is not None:
        table = table.weighted_by(dataset.name, dataset.weight)
    table.check(dataset.name, dataset.task)
    digests = splits.row_digests(table)
    ids = np.array(splits.row_ids(digests))
    places = splits.assign(digests, config.split)
    folder = Layout.find().prepared(dataset.name)
    if dataset.split == "none":
        chosen = {split: np.ones(table.num_rows, bool) for split in SPLITS}
        summary = {split: {"rows": table.num_rows} for split in SPLITS}
    else:
        chosen = {split: places == split for split in SPLITS}
        summary = splits.counts(table, places, dataset.task)
        splits.check_counts(dataset.name, summary)
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
    print(f"{dataset.name}: " + ", ".join(f"{summary[split]['rows']} {split}" for split in SPLITS) + " rows")


def main() -> None:
    hydra_command(prepare, "prepare")


if __name__ == "__main__":
    main()
