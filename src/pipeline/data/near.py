"""Rows that are nearly the same. Where one of them is for testing and the other for training, a score tells of what
the model has learned by heart."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.config import DatasetConfig
from pipeline.config.data import IGNORE, REFUSE
from pipeline.data.batches import digests_of
from pipeline.data.digest_file import DigestFile
from pipeline.data.digests import NULL, Digests, combined, mixed, text_digests
from pipeline.data.near_images import DIFFERENCE, Thumbnails
from pipeline.data.schema import Column
from pipeline.data.splits import Places, num_tests_known
from pipeline.errors import DataError


def text_forms(values: pa.Array) -> Digests:
    """A digest (N,) of each text in a form in which case, white space, numbers and Unicode's ways to write the same
    make no difference: NFKC, lower case, one blank for white space, and 0 for each row of digits."""
    plain = pc.utf8_lower(pc.utf8_normalize(values, form="NFKC"))
    plain = pc.replace_substring_regex(plain, r"[0-9]+", "0")
    found = text_digests(pc.utf8_trim_whitespace(pc.replace_substring_regex(plain, r"\s+", " ")))
    return np.where(values.is_null().to_numpy(zero_copy_only=False), NULL, found)


# What is nearly the same has the same digest. Values of a type that is not here are the same, or are not.
FORMS: dict[str, Callable[[pa.Array], Digests]] = {"text": text_forms}


class NearRows:
    """Takes note of each row's digest, for which nearly the same rows have the same one: texts that differ by case,
    white space, digits or Unicode form alone, and images with equal difference hashes, where all other columns are
    equal. Of the first column of images it keeps the hash and a thumbnail of each, too."""

    def __init__(self, columns: list[Column], folder: Path) -> None:
        self._columns = columns
        self._images = next((column for column in columns if column.config.type == "image"), None)
        self._has_texts = any(column.config.type in FORMS for column in columns)
        self._thumbnails = Thumbnails(folder) if self._images is not None else None
        self.digests = DigestFile(folder / "near")

    def look_at(self, by_name: dict[str, pa.Array]) -> None:
        parts = []
        for column in self._columns:
            values = by_name[column.name]
            if column is self._images and self._thumbnails is not None:
                parts.append(mixed(self._thumbnails.add(column, values)))
            else:
                form = FORMS.get(column.config.type)
                parts.append(digests_of(column, values) if form is None else form(values))
        self.digests.append(combined(parts))

    def check(self, dataset: DatasetConfig, places: Places) -> None:
        """Print how many test rows are nearly the same as a row for training or validation. Raises DataError instead
        where `near_duplicates` is `refuse`."""
        known = "a row for training or validation"
        found = []
        if self._has_texts and (count := num_tests_known(places, self.digests)):
            found.append(f"{_rows(count)} from {known} by case, white space, digits or Unicode form at most")
        if self._thumbnails is not None and (count := self._thumbnails.num_tests_known(places)):
            found.append(f"{_rows(count)} from {known} by {DIFFERENCE}, at most")
        for told in found:
            if dataset.near_duplicates == REFUSE:
                raise DataError(
                    f"dataset {dataset.name}: {told}. Set near_duplicates: group to deal such rows out together, or "
                    "say to accept it."
                )
            print(f"{dataset.name}: {told}")


def looked_for(dataset: DatasetConfig, columns: list[Column]) -> bool:
    """Whether there is something to look for: rows of texts or images, and a split that holds some of them out."""
    types = {column.config.type for column in columns}
    return dataset.near_duplicates != IGNORE and dataset.split != "none" and bool(types & {"image", *FORMS})


def _rows(count: int) -> str:
    return "1 test row differs" if count == 1 else f"{count} test rows differ"
