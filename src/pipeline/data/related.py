"""Test rows that are not independent of one another: those of one group, such as a speaker's recordings, and those that
have an order in time, such as the windows of a series. `prepare` writes down which they are, beside the test split, and
the intervals of test scores and promotion's gate resample such rows together (evaluation/units.py)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.data.digests import Digests
from pipeline.data.prepared import read_table
from pipeline.layout import RELATED

BEGIN, END = "begin", "end"
FEW_GROUPS = 6


@dataclass(frozen=True)
class Groups:
    """`of_row` (N,) tells the groups of the rows apart, and `name` is the column that names them."""

    name: str
    of_row: Digests


@dataclass(frozen=True)
class Stretches:
    """When each row begins and when it ends (N,). A row of a single moment ends when it begins."""

    begin: NDArray[Any]
    end: NDArray[Any]


Related = Groups | Stretches


def write_related(folder: Path, related: Related) -> None:
    """Write a file with a row for each test row, in their order: a column of groups, or two of times."""
    if isinstance(related, Groups):
        columns = {related.name: related.of_row}
    else:
        columns = {BEGIN: related.begin, END: related.end}
    pq.write_table(pa.table(columns), folder / RELATED)


def read_related(folder: Path) -> Related | None:
    """How the test rows of a prepared dataset hang together, None where they are independent."""
    path = folder / RELATED
    if not path.is_file():
        return None
    table = read_table(path)
    if table.column_names == [BEGIN, END]:
        return Stretches(table[BEGIN].to_numpy(), table[END].to_numpy())
    (name,) = table.column_names
    return Groups(name, table[name].to_numpy())


def tell_few_groups(dataset: str, related: Related) -> None:
    """Print that there are too few groups for the test scores to be sure, at the confidence that is the default."""
    if isinstance(related, Groups) and (count := len(np.unique(related.of_row))) < FEW_GROUPS:
        groups = "1 group" if count == 1 else f"{count} groups"
        print(
            f"{dataset}: the test rows are {groups} ({related.name}); test scores of fewer than {FEW_GROUPS} have no "
            "interval at 0.95 (docs/evaluation.md)"
        )


def rows_together(related: Related | None) -> float:
    """How many rows tell as much as one independent row if all rows that hang together are alike: the design effect of
    groups (Kish 1965), or how many rows share a moment with the row after which most do so."""
    if related is None:
        return 1.0
    if isinstance(related, Groups):
        sizes = np.unique(related.of_row, return_counts=True)[1]
        return float((sizes**2).sum() / sizes.sum())
    return float(overlap(related))


def overlap(stretches: Stretches) -> int:
    """How many rows begin before a row ends and end no sooner, itself included: so many that nearly all rows (95 %)
    have no more. A few odd rows, such as windows over an outage, would otherwise stand for all."""
    ends = np.sort(stretches.end)
    begun = np.searchsorted(np.sort(stretches.begin), ends, side="right")
    # All rows that end sooner have begun sooner, too, so they are subtracted by their number.
    over = np.searchsorted(ends, ends, side="left")
    return int(np.quantile(begun - over, 0.95, method="higher"))


def joined(parts: list[Related | None]) -> Related | None:
    """The groups of several folds, of whose rows none is in two. Folds are never dealt out by time."""
    groups = [part for part in parts if isinstance(part, Groups)]
    if not groups:
        return None
    assert len(groups) == len(parts), "each fold has groups, or none has"
    return Groups(groups[0].name, np.concatenate([part.of_row for part in groups]))
