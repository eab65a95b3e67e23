"""Which split each row goes to."""

from collections.abc import Iterator
from typing import Any, TypedDict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.config import SplitConfig
from pipeline.data.digest_file import DigestFile
from pipeline.data.digests import Digests, unit_interval
from pipeline.errors import DataError
from pipeline.layout import SPLITS, TEST, TRAIN, VALIDATION

# the numbers by which this module and its users call the splits
PLACES = {split: number for number, split in enumerate(SPLITS)}
NOWHERE = np.int8(-1)  # of a row that is in no split
Places = NDArray[np.int8]


def by_hash(digests: Digests, config: SplitConfig) -> Places:
    """Places (N,) by a uniform number from each row's digest (N,) and the split's seed, and from nothing else.

    So equal rows land in the same split, no copy of a test row is trained on, and rows that are added move no other.
    With the digests of groups instead of rows, all rows of a group land in the same split.

    Where there are folds, the numbers from 0 to 1 are cut into equal parts, one for each fold. The rows for validation
    are those whose numbers follow the fold that is for testing, and after the last part comes the first. Folds of
    groups are made by `by_rank`.
    """
    u = unit_interval(digests, config.seed)
    places = np.full(len(digests), PLACES[TRAIN], np.int8)
    if config.folds is not None and config.fold is not None:
        after = (u - (config.fold + 1) / config.folds) % 1.0
        places[after < config.validation] = PLACES[VALIDATION]
        places[np.floor(u * config.folds) == config.fold] = PLACES[TEST]
        return places
    places[u < config.test + config.validation] = PLACES[VALIDATION]
    places[u < config.test] = PLACES[TEST]
    return places


def by_rank(groups: Digests, config: SplitConfig) -> Places:
    """Places (N,) for one of several folds, of rows whose groups have these digests (N,).

    Groups are sorted as `by_hash` sorts rows, and each fold gets as many of them as any other, or one more. Where
    groups are few, folds by hash alone would often have none. The groups for validation, one at least, follow those
    that are for testing, and after the last group comes the first.
    """
    assert config.folds is not None
    own, group = np.unique(groups, return_inverse=True)
    rank = np.argsort(np.argsort(unit_interval(own, config.seed), kind="stable"))
    tested = rank * config.folds // len(own) == config.fold
    after = (rank - rank[tested].max(initial=-1) - 1) % len(own)
    places = np.full(len(own), PLACES[TRAIN], np.int8)
    places[after < max(1, round(config.validation * len(own)))] = PLACES[VALIDATION]
    places[tested] = PLACES[TEST]
    return places[group]


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


def by_stretch(starts: NDArray[Any], ends: NDArray[Any], config: SplitConfig) -> Places:
    """Places (N,) of rows that are made of stretches of time, which begin at `starts` (N,) and end at `ends` (N,).

    The rows that end last are for testing. Of those that end before the first test row begins, the last ones are for
    validation, and of the others those are trained on that end before the first row of validation begins. The rows
    between are in no split, so no two splits share an instant.
    """
    places = np.full(len(ends), NOWHERE, np.int8)
    left = np.ones(len(ends), bool)
    for split, share in ((TEST, config.test), (VALIDATION, config.validation)):
        ordered = np.sort(ends[left])
        first = len(ordered) - round(share * len(ends))
        if not 0 <= first < len(ordered):
            continue
        chosen = left & (ends >= ordered[first])
        places[chosen] = PLACES[split]
        left &= ends < starts[chosen].min()
    places[left] = PLACES[TRAIN]
    return places


class Folds:
    """Places as a column of the data says, taken in some rows at a time. Names that are none are kept for the error."""

    def __init__(self) -> None:
        self._parts: list[Places] = []
        self._unknown: set[str] = set()

    def append(self, names: pa.Array) -> None:
        """Take note of the names (N,) of the next rows' splits."""
        places = pc.index_in(names, pa.array(SPLITS))
        self._unknown.update(map(str, pc.unique(names.filter(places.is_null())).to_pylist()))
        self._parts.append(places.fill_null(0).to_numpy().astype(np.int8))

    def places(self, dataset: str, column: str) -> Places:
        """The places (N,) of all rows. Raises DataError for names that are none."""
        if self._unknown:
            raise DataError(
                f"dataset {dataset}: column '{column}' holds {', '.join(sorted(self._unknown))}, expected "
                f"{', '.join(SPLITS)}."
            )
        return np.concatenate(self._parts)


def with_validation(places: Places, digests: DigestFile, config: SplitConfig, dataset: str) -> Places:
    """The given places (N,). Where none of them is for validation, the share `config.validation` of the rows that are
    not for testing is, by the rows' digests as in `by_hash`, and a line is printed."""
    if (places == PLACES[VALIDATION]).any():
        return places
    print(f"{dataset}: no row is given for validation, so {config.validation:g} of the training rows are, by hash")
    drawn = [unit_interval(part, config.seed) < config.validation for part in digests.slices()]
    chosen = np.concatenate(drawn) & (places == PLACES[TRAIN])
    return np.where(chosen, np.int8(PLACES[VALIDATION]), places)


def num_tests_known(places: Places, digests: DigestFile) -> int:
    """How many test rows have the digest of a row for training or validation."""

    def parts(of_test: bool) -> Iterator[Digests]:
        start = 0
        for part in digests.slices():
            of_part = places[start : start + len(part)]
            others = (of_part != PLACES[TEST]) & (of_part != NOWHERE)
            yield part[of_part == PLACES[TEST] if of_test else others]
            start += len(part)

    tests = np.concatenate(list(parts(of_test=True)))
    known = np.zeros(len(tests), bool)
    for others in parts(of_test=False):
        known |= np.isin(tests, others)
    return int(known.sum())


class Counts(TypedDict):
    """How many rows a split has, in all and of each class."""

    rows: int
    classes: dict[str, int]


Summary = dict[str, Counts]


# what to do about a split that lacks rows, by the dataset's `split`, and where there are folds
FOLDS = "folds"
ADVICE = {
    FOLDS: "Add rows, take another number of folds, or try another split.seed.",
    "hash": "Add rows, enlarge the split, or try another split.seed in params.yaml.",
    "time": "Add rows, or enlarge the split in params.yaml.",
    "given": "Give it such rows.",
}


RARE = "Or leave the class out: name the others in `values` of the target, with on_bad_row: skip."


def check_counts(dataset: str, found: Summary, method: str, every_class: tuple[str, ...] = SPLITS) -> None:
    """Raise DataError where a split is empty, or one of `every_class` lacks a class. `method` is one
    of ADVICE."""
    for split, counts in found.items():
        if not counts["rows"]:
            raise DataError(f"dataset {dataset}: split {split} has 0 rows, expected at least 1. {ADVICE[method]}")
        lacking = [name for name, count in counts["classes"].items() if not count] if split in every_class else []
        for name in lacking:
            rare = sum(others["classes"].get(name, 0) for others in found.values()) < len(SPLITS)
            advice = f"{ADVICE[method]} {RARE}" if rare else ADVICE[method]
            raise DataError(
                f"dataset {dataset}: split {split} has 0 rows of class '{name}', expected at least 1. {advice}"
            )
