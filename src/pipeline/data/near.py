"""Rows that are nearly the same. Where one of them is for testing and the other for training, a score tells of what
the model has learned by heart."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from pipeline.config import DatasetConfig
from pipeline.config.data import IGNORE, REFUSE
from pipeline.data.batches import digests_of
from pipeline.data.digest_file import DigestFile
from pipeline.data.digests import Digests, combined, mixed
from pipeline.data.near_images import Thumbnails
from pipeline.data.schema import Column
from pipeline.data.splits import Places, num_tests_known
from pipeline.errors import DataError

WITHOUT_COPIES = "Take the copies out of the data, or set near_duplicates: say to accept it."


class Look(Protocol):
    """Looks at all values of a column, to find near copies that no digest finds; `difference` says by what they differ
    at most."""

    @property
    def difference(self) -> str: ...

    def add(self, column: Column, values: pa.Array) -> Digests:
        """Take note of the next values (N,). Returns a number for each, which is equal for most near copies."""

    def num_tests_known(self, places: Places) -> int:
        """How many values for testing are near copies of one for training or validation."""


# What looks at the values of a type, and keeps its notes in a folder. Types without an entry are not looked at.
LOOKS: dict[str, Callable[[Path], Look]] = {
    "image": Thumbnails,
}


class NearRows:
    """Takes note of each row's digest, for which nearly the same rows have the same one: those whose values the types
    of their columns call alike, and images with equal difference hashes, where all other columns are equal. Of the
    first column of images it keeps the hash and a thumbnail of each, too."""

    def __init__(self, columns: list[Column], folder: Path) -> None:
        self._columns = columns
        self._looked_at = next((column for column in columns if column.config.type in LOOKS), None)
        self._differences = near_copies(columns)
        look = LOOKS[self._looked_at.config.type] if self._looked_at is not None else None
        self._look = look(folder) if look is not None else None
        self.digests = DigestFile(folder / "near")

    def look_at(self, by_name: dict[str, pa.Array]) -> None:
        parts = []
        for column in self._columns:
            values = by_name[column.name]
            if column is self._looked_at and self._look is not None:
                parts.append(mixed(self._look.add(column, values)))
            else:
                parts.append(digests_of(column, values, column.type.alike(values, column.config)))
        self.digests.append(combined(parts))

    def check(self, dataset: DatasetConfig, places: Places, by_rows: bool) -> None:
        """Print how many test rows are nearly the same as a row for training or validation. Raises DataError instead
        where `near_duplicates` is `refuse`. `by_rows` says whether the digests of rows deal them out, and nothing
        else, so that near copies could be dealt out together."""
        known = "a row for training or validation"
        found = []
        if self._differences and (count := num_tests_known(places, self.digests)):
            found.append(f"{_rows(count)} from {known} by {' or '.join(self._differences)} at most")
        if self._look is not None and (count := self._look.num_tests_known(places)):
            found.append(f"{_rows(count)} from {known} by {self._look.difference}, at most")
        for told in found:
            if dataset.near_duplicates == REFUSE:
                advice = "Set near_duplicates: group to deal such rows out together, or say to accept it."
                if not by_rows:
                    advice = WITHOUT_COPIES
                raise DataError(f"dataset {dataset.name}: {told}. {advice}")
            print(f"{dataset.name}: {told}")


def looked_for(dataset: DatasetConfig, columns: list[Column]) -> bool:
    """Whether there is something to look for: rows of texts or images, and a split that holds some of them out."""
    some = bool(near_copies(columns)) or any(column.config.type in LOOKS for column in columns)
    return dataset.near_duplicates != IGNORE and dataset.split != "none" and some


def near_copies(columns: list[Column]) -> list[str]:
    """In words, by what values of these columns differ that are near copies of each other."""
    some = (c for c in columns if c.type.alike(pa.array([], c.storage), c.config) is not None)
    return list(dict.fromkeys(column.type.near_copy for column in some))


def _rows(count: int) -> str:
    return "1 test row differs" if count == 1 else f"{count} test rows differ"
