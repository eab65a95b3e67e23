"""Which split each row goes to."""

from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from pipeline.config import SplitConfig
from pipeline.data.digests import Digests, texts_of, unit_interval
from pipeline.errors import DataError
from pipeline.layout import SPLITS, TEST, TRAIN, VALIDATION

# the numbers by which this module and its users call the splits
PLACES = {split: number for number, split in enumerate(SPLITS)}
Places = NDArray[np.int8]


def row_ids(digests: Digests) -> list[str]:
    """The digests (N,) as text, made unique: the n-th repetition of a row's inputs gets `-n` behind its digest."""
    texts = texts_of(digests)
    for row, count in zip(*repetitions(digests), strict=True):
        texts[row] = f"{texts[row]}-{count}"
    return texts


def repetitions(digests: Digests) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows that repeat an earlier row, and for each of them how many earlier rows it repeats."""
    order = np.argsort(digests, kind="stable")
    ordered = digests[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if len(digests) else order
    first = np.repeat(starts, np.diff(np.append(starts, len(digests))))
    counts = np.arange(len(digests)) - first
    return order[counts > 0], counts[counts > 0]


def by_hash(digests: Digests, config: SplitConfig) -> Places:
    """Places (N,) by a uniform number from each row's digest (N,) and the split's seed, and from nothing else.

    So equal rows land in the same split, no copy of a test row is trained on, and rows that are added move no other.
    With the digests of groups instead of rows, all rows of a group land in the same split.
    """
    u = unit_interval(digests, config.seed)
    places = np.full(len(digests), PLACES[TRAIN], np.int8)
    places[u < config.test + config.validation] = PLACES[VALIDATION]
    places[u < config.test] = PLACES[TEST]
    return places


def by_time(times: NDArray[Any], config: SplitConfig, groups: Digests | None = None) -> Places:
    """Places (N,) by time (N,): the last rows are for testing, and those before them for validation.

    Rows of one instant stay together. With `groups` (N,), the rows of a group stay together as well: each row then
    counts as if it were as late as the last row of its group. So each group to test ends later than all that is trained
    on, though it may begin earlier.
    """
    if groups is not None:
        _, group = np.unique(groups, return_inverse=True)
        last = np.full(group.max() + 1, times.min())
        np.maximum.at(last, group, times)
        times = last[group]
    ordered = np.sort(times)
    places = np.full(len(times), PLACES[TRAIN], np.int8)
    for split, share in ((VALIDATION, config.test + config.validation), (TEST, config.test)):
        first = len(times) - round(share * len(times))
        if first < len(times):
            places[times >= ordered[first]] = PLACES[split]
    return places


def by_fold(names: list[str | None], dataset: str, column: str) -> Places:
    """Places (N,) as a column of the data says."""
    unknown = sorted({str(name) for name in names} - set(SPLITS))
    if unknown:
        raise DataError(
            f"dataset {dataset}: column '{column}' holds {', '.join(unknown)}, expected {', '.join(SPLITS)}."
        )
    return np.array([PLACES[str(name)] for name in names], np.int8)


def with_validation(places: Places, digests: Digests, config: SplitConfig, dataset: str) -> Places:
    """The given places (N,). Where none of them is for validation, the share `config.validation` of the rows that are
    not for testing is, by the rows' digests (N,) as in `by_hash`, and a line is printed."""
    if (places == PLACES[VALIDATION]).any():
        return places
    print(f"{dataset}: no row is given for validation, so {config.validation:g} of the training rows are, by hash")
    chosen = (unit_interval(digests, config.seed) < config.validation) & (places == PLACES[TRAIN])
    return np.where(chosen, np.int8(PLACES[VALIDATION]), places)


def num_tests_known(places: Places, digests: Digests) -> int:
    """How many test rows have the digest of a row for training or validation."""
    test = places == PLACES[TEST]
    return int(np.isin(digests[test], digests[~test]).sum())


class Counts(TypedDict):
    """How many rows a split has, in all and of each class."""

    rows: int
    classes: dict[str, int]


Summary = dict[str, Counts]


# what to do about a split that lacks rows, by the dataset's `split`
ADVICE = {
    "hash": "Add rows, enlarge the split, or try another split.seed in params.yaml.",
    "time": "Add rows, or enlarge the split in params.yaml.",
    "given": "Give it such rows.",
}


def check_counts(dataset: str, found: Summary, method: str) -> None:
    """Raise DataError where a split is empty or lacks a class. `method` is the dataset's `split`."""
    for split, counts in found.items():
        by_class = {f"rows of class '{name}'": count for name, count in counts["classes"].items()}
        for what, count in ({"rows": counts["rows"]} | by_class).items():
            if count == 0:
                raise DataError(f"dataset {dataset}: split {split} has 0 {what}, expected at least 1. {ADVICE[method]}")
