"""What is asked of the digests of all rows does not depend on how many of them are in memory at a time."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.data import digest_file
from pipeline.data.digest_file import DigestFile
from pipeline.data.digests import Digests, mixed
from pipeline.data.row_ids import RowIds

SIZES = (1, 0, 700, 299, 1000, 500)


@pytest.fixture
def digests() -> Digests:
    """Some occur once, some a few times, and one in a third of the rows. The least and the largest one are there."""
    random = np.random.default_rng(0)
    found = mixed(random.integers(0, 1500, 2500).astype(np.uint64))
    found[random.random(2500) < 0.3] = np.uint64(2**64 - 1)
    found[[3, 2000]] = 0
    return found


def write(path: Path, digests: Digests) -> DigestFile:
    file = DigestFile(path)
    for part in np.split(digests, np.cumsum(SIZES)[:-1]):
        file.append(part)
    return file


@pytest.mark.parametrize("size", [40, 100, 2500, digest_file.SLICE])
def test_repetitions_are_found_whatever_the_number_of_buckets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, digests: Digests, size: int
) -> None:
    monkeypatch.setattr(digest_file, "SLICE", size)
    file = write(tmp_path / "digests", digests)
    values, counts = np.unique(digests, return_counts=True)
    assert (file.repeated() == values[counts > 1]).all()
    assert file.num_distinct() == len(values)
    assert (np.concatenate(list(file.slices())) == digests).all()
    assert (file.read(700, 50) == digests[700:750]).all()


def test_no_rows(tmp_path: Path) -> None:
    file = DigestFile(tmp_path / "digests")
    assert file.num_distinct() == len(file.repeated()) == len(list(file.slices())) == 0


@pytest.mark.parametrize("sizes", [SIZES, (2500,), (1,) * 2500])
def test_ids_of_rows_count_the_repetitions_of_their_inputs(
    tmp_path: Path, digests: Digests, sizes: tuple[int, ...]
) -> None:
    expected, seen = [], dict.fromkeys(digests.tolist(), 0)
    for digest in digests.tolist():
        expected.append(f"{digest:016x}" + (f"-{seen[digest]}" if seen[digest] else ""))
        seen[digest] += 1
    ids = RowIds(write(tmp_path / "digests", digests).repeated())
    parts = [ids.following(part).to_pylist() for part in np.split(digests, np.cumsum(sizes)[:-1])]
    assert [text for part in parts for text in part] == expected
    assert len(set(expected)) == len(expected)
