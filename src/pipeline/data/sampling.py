"""Which rows of a prepared dataset a model learns from: all of them, or as many as a limit leaves."""

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.config import LimitConfig
from pipeline.data.digests import text_digests, unit_interval
from pipeline.data.prepared import ROW, AnySplit, Split, SplitFile, open_split, read_table
from pipeline.data.schema import Schema
from pipeline.layout import TRAIN, VALIDATION


@dataclass(frozen=True)
class TrainingData:
    """What a model learns from: a prepared dataset's schema, the rows to train on and those to validate on."""

    schema: Schema
    train: AnySplit
    validation: AnySplit

    @classmethod
    def open(cls, folder: Path, most_bytes: int, limit: LimitConfig) -> "TrainingData":
        """Open both splits of the prepared dataset in `folder` as `open_split` does, and keep what `limit` leaves."""
        schema = Schema.read(folder)
        splits = [limited(open_split(folder, split, schema, most_bytes), limit) for split in (TRAIN, VALIDATION)]
        return cls(schema, *splits)


def num_kept(num_rows: int, limit: LimitConfig) -> int:
    """How many of so many rows `limit` leaves."""
    return min(math.ceil(limit.fraction * num_rows), limit.rows or num_rows)


def limited(split: AnySplit, limit: LimitConfig) -> AnySplit:
    """The rows that `limit` leaves of a split, in their order, in memory; the split itself if no row is left out."""
    wanted = num_kept(split.num_rows, limit)
    return split if wanted == split.num_rows else sample(split, wanted, limit.seed)


def sample(split: AnySplit, wanted: int, seed: int | None = None) -> Split:
    """At most `wanted` rows of a split, in their order, in memory: those whose ids come first when sorted.

    Ids are digests. Sorted by them, rows are well mixed, and rows that are added to the split push few others out. With
    a seed, rows are sorted by a number that is made of their id and the seed, so each seed keeps other rows.
    """
    ids = (
        read_table(split.path, [ROW])[ROW] if isinstance(split, SplitFile) else pa.chunked_array([pa.array(split.rows)])
    )
    keys = {ROW: ids}
    if seed is not None:
        keys = {"drawn": pa.array(unit_interval(text_digests(ids.combine_chunks()), seed)), ROW: ids}
    first = pc.select_k_unstable(pa.table(keys), min(wanted, split.num_rows), [(key, "ascending") for key in keys])
    kept = np.zeros(split.num_rows, bool)
    kept[first.to_numpy()] = True
    parts, done = [], 0
    for part in split.chunks():
        parts.append(part.where(kept[done:][: part.num_rows]))
        done += part.num_rows
    table = pa.concat_tables([part.table for part in parts])
    rows, target = (np.concatenate([getattr(part, name) for part in parts]) for name in ("rows", "target"))
    weight = split.weight[kept] if split.weight is not None else None
    return replace(parts[0], rows=rows, table=table, target=target, weight=weight)
