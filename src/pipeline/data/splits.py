"""Which split each row goes to. It depends on the row's own inputs and the split's seed, and on nothing else.

Equal rows land in the same split, so that no copy of a test row is trained on. Rows that are added move no other row.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

from pipeline.config import SplitConfig
from pipeline.data.table import Table
from pipeline.errors import DataError
from pipeline.layout import SPLITS, TEST, TRAIN, VALIDATION

DIGEST_BYTES = 8


def row_digests(table: Table) -> list[str]:
    """For each row, 16 hexadecimal digits that depend only on the bytes of its inputs."""
    columns = [np.ascontiguousarray(table.inputs[f.name], dtype="<f4") for f in table.features]
    rows = [column.reshape(table.num_rows, -1).view(np.uint8) for column in columns]
    # The two zeros are one number and must have one digest: -0.0 + 0.0 is 0.0.
    rows = [(column.view("<f4") + np.float32(0)).view(np.uint8) for column in rows]
    joined = np.concatenate(rows, axis=1)
    return [hashlib.blake2b(row.tobytes(), digest_size=DIGEST_BYTES).hexdigest() for row in joined]


def row_ids(digests: list[str]) -> list[str]:
    """The digests made unique: the n-th repetition of a row's inputs gets `-n` behind its digest."""
    seen: dict[str, int] = {}
    ids = []
    for digest in digests:
        count = seen.get(digest, 0)
        seen[digest] = count + 1
        ids.append(digest if count == 0 else f"{digest}-{count}")
    return ids


def unit_interval(digest: str, seed: int) -> float:
    """A uniform number in [0, 1) from a row's digest and the split's seed."""
    mixed = hashlib.blake2b(f"{seed}:{digest}".encode(), digest_size=8).digest()
    return int.from_bytes(mixed, "big") / 2**64


def assign(digests: list[str], config: SplitConfig) -> NDArray[np.str_]:
    """Each row's split, by its uniform number: test below `test`, validation below `test + validation`, or train."""
    places = []
    for digest in digests:
        u = unit_interval(digest, config.seed)
        places.append(TEST if u < config.test else VALIDATION if u < config.test + config.validation else TRAIN)
    return np.array(places)


def counts(table: Table, places: NDArray[np.str_]) -> dict[str, dict[str, int]]:
    """How many rows each split has, in all and of each class."""
    found: dict[str, dict[str, int]] = {}
    for split in SPLITS:
        target = table.target[places == split]
        by_class = {name: int((target == i).sum()) for i, name in enumerate(table.classes)}
        found[split] = {"rows": len(target)} | by_class
    return found


def check_counts(dataset: str, found: dict[str, dict[str, int]]) -> None:
    """Raise DataError where a split is empty or lacks a class."""
    for split, by_class in found.items():
        for name, count in by_class.items():
            if count == 0:
                what = "rows" if name == "rows" else f"rows of class '{name}'"
                raise DataError(
                    f"dataset {dataset}: split {split} has 0 {what}, expected at least 1. Add rows, enlarge the split, "
                    "or try another split.seed in params.yaml."
                )
