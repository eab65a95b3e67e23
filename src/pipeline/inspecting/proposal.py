"""From what was found in the files to what a dataset's YAML says of them."""

from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.data.copies import is_copy
from pipeline.data.declared import column_config
from pipeline.data.prepared import ROW, TARGET, WEIGHT
from pipeline.data.reading import read_values
from pipeline.data.remarks import determines
from pipeline.data.schema import Column
from pipeline.data.types import TYPES
from pipeline.data.types.type import Parsed
from pipeline.errors import DataError
from pipeline.inspecting.columns import found_in
from pipeline.inspecting.files import Files
from pipeline.inspecting.found import Found, several
from pipeline.inspecting.target import set_target, task_of

LEAK = "determines the target"
COPY = "a copy of the target, or a factor times it plus a constant"
MOST_OTHERS, OTHERS_SHARE = 5, 0.02  # rows that do not keep a column from being left out


@dataclass
class Proposal:
    """What is asked of the target, and what is known of each column, in the order of the files. `skip` says which rows
    cannot be used."""

    task: str
    target: Found
    columns: list[Found]
    skip: list[str] = field(default_factory=list)

    @property
    def features(self) -> list[Found]:
        return [found for found in self.columns if found is not self.target and not found.why]

    @property
    def left_out(self) -> list[Found]:
        return [found for found in self.columns if found is not self.target and found.why]


def propose(files: Files, target: str, task: str | None) -> Proposal:
    """What the columns are, and what is asked of them. Raises DataError for a target that no task can answer."""
    names = dict.fromkeys([*files.names, *files.nested])
    columns = [found_in(name, files.columns[name]) if name in files.columns else _unread(files, name) for name in names]
    (goal,) = (found for found in columns if found.name == target)
    proposal = Proposal(task_of(goal, files.num_rows - goal.missing, task), goal, columns)
    set_target(goal, proposal.task)
    for found in proposal.features:
        if found.name in (ROW, TARGET, WEIGHT):
            found.leave_out("the pipeline keeps this name for a column of its own; rename it")
    _check_values(proposal, files)
    if goal.missing:
        proposal.skip.append(f"{several(goal.missing, 'row')} without '{target}'")
    if files.unreadable:
        proposal.skip.append(f"{several(files.unreadable, 'row')} that cannot be read ({files.why})")
    return proposal


def _unread(files: Files, name: str) -> Found:
    found = Found(name)
    count = files.names.count(name)
    if name in files.nested:
        found.leave_out("lists or objects, which no type takes")
    else:
        found.leave_out(f"{several(count, 'column')} with this name" if count > 1 else "a column without a name")
    return found


def options_of(found: Found) -> dict[str, object]:
    """The type and the options that a YAML file gives a column."""
    missing = {"missing": found.absent} if found.absent else {}
    return {"type": found.type, **found.options, **missing}


def _read(found: Found, files: Files) -> Parsed:
    config = column_config(found.name, options_of(found))
    raw = files.columns[found.name]
    return read_values(Column(found.name, replace(config, missing=found.absent)), raw, found.absent)


def _check_values(proposal: Proposal, files: Files) -> None:
    """Read all values as proposed. Leave out columns that their type does not take after all, and those that determine
    the target."""
    target = _read(proposal.target, files)
    if target.refused.any():
        advice = TYPES[str(proposal.target.type)].expected
        raise DataError(f"target '{proposal.target.name}': {int(target.refused.sum())} values are not {advice}.")
    there = target.values.is_valid()
    alone = _share_alone([files.columns[found.name] for found in (proposal.target, *proposal.features)])
    for found in proposal.features:
        read = _read(found, files)
        if read.refused.any():
            count = several(int(read.refused.sum()), "value")
            found.leave_out(f"{count} that cannot be kept as {TYPES[str(found.type)].expected}")
        elif leak := _leak(read.values.filter(there), target.values.filter(there), alone):
            found.leave_out(leak)


def _share_alone(columns: list[pa.Array]) -> float:
    """The share of the rows (N,) of these columns that are left where equal rows count once."""
    names = [str(i) for i in range(len(columns))]
    table = pa.table(columns, names)
    distinct: int = table.group_by(names).aggregate([]).num_rows
    return distinct / max(1, len(table))


def _leak(values: pa.Array, target: pa.Array, alone: float) -> str:
    """In words, that a column determines the target, or that it does but for a few rows: it would look so to `prepare`,
    if none of these came into the training split; or that it is a copy of the target. Empty otherwise."""
    if values.type == target.type == pa.float64():
        numbers = (array.to_numpy(zero_copy_only=False) for array in (values, target))
        if is_copy([(next(numbers), next(numbers))]):
            return COPY
    distinct = pc.count_distinct(values, mode="all").as_py()
    if distinct == 1 or distinct > len(values) / 2:
        return ""
    if determines(values, target, alone):
        return LEAK
    good = _most_frequent(values, target)
    few = len(values) - int(good.sum())
    values, target = (array.filter(pa.array(good)) for array in (values, target))
    if few <= min(MOST_OTHERS, len(good) * OTHERS_SHARE) and determines(values, target, alone):
        return f"{LEAK} but for {several(few, 'row')}"
    return ""


def _most_frequent(values: pa.Array, target: pa.Array) -> NDArray[np.bool_]:
    """Which rows (N,) have the target that is the most frequent one of their value."""
    first, second = (
        array.dictionary_encode("encode").indices.to_numpy().astype(np.int64) for array in (values, target)
    )
    _, codes, counts = np.unique(first * (second.max() + 1) + second, return_inverse=True, return_counts=True)
    most = np.zeros(first.max() + 1, np.int64)
    np.maximum.at(most, first, counts[codes])
    good: NDArray[np.bool_] = counts[codes] == most[first]
    return good
