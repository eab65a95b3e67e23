"""From a dataset's source to its splits on disk."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.config import PrepareConfig
from pipeline.data import splits
from pipeline.data.prepared import ROW, TARGET, WEIGHT, chunk_rows
from pipeline.data.schema import Feature, Schema
from pipeline.data.sources import SOURCES
from pipeline.data.table import Table
from pipeline.errors import DataError
from pipeline.files import replacing, write_json
from pipeline.layout import SPLITS, SUMMARY, TRAIN, split_file


def write_prepared(config: PrepareConfig, folder: Path) -> dict[str, dict[str, int]]:
    """Write train, validation and test as Parquet, schema.json, and summary.json (rows by split and class) into
    `folder`, and return the summary.

    Prints which columns are constant in the training rows. Raises DataError for rows that no model can learn from.
    """
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
        write_split(folder, split, table, ids, chosen[split])
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


def to_column(values: NDArray[np.float32], feature: Feature) -> pa.Array:
    """Values (N, *shape) as a Parquet column. An image is a fixed-size list of its H * W * C values, row by row."""
    flat = pa.array(values.reshape(-1))
    if not feature.shape:
        return flat
    return pa.FixedSizeListArray.from_arrays(flat, int(np.prod(feature.shape)))


def write_split(folder: Path, split: str, table: Table, ids: NDArray[np.str_], chosen: NDArray[np.bool_]) -> None:
    """Write the chosen rows in the source's order. Raises DataError for a feature that has the name of a column of
    ours."""
    for feature in table.features:
        if feature.name in (ROW, TARGET, WEIGHT):
            raise DataError(f"column '{feature.name}': that name is kept for another column. Rename the feature.")
    columns = {ROW: pa.array(ids[chosen].tolist(), pa.string())}
    columns |= {f.name: to_column(table.inputs[f.name][chosen], f) for f in table.features}
    columns[TARGET] = pa.array(table.target[chosen])
    if table.weight is not None:
        columns[WEIGHT] = pa.array(table.weight[chosen])
    with replacing(folder / split_file(split)) as temporary:
        size = chunk_rows(feature.shape for feature in table.features)
        pq.write_table(pa.table(columns), temporary, row_group_size=size)
