"""Features are made once, kept within bounds, and never half."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from pipeline import locks
from pipeline.config import Config, DatasetConfig, LimitConfig, PreprocessingConfig, SplitConfig
from pipeline.data.rows_file import RowsFile
from pipeline.files import PARTIAL
from pipeline.identity import Identity, features_key
from pipeline.model.families import FAMILIES
from pipeline.training.feature_cache import Chunk, FeatureCache
from tests.contracts.test_families import config_of

VECTOR = np.arange(12, dtype=np.float32).reshape(6, 2)
CODES = np.arange(6, dtype=np.int32).reshape(6, 1)


def chunks() -> Iterator[Chunk]:
    for start in (0, 4):
        yield {"vector": VECTOR[start : start + 4], "codes": CODES[start : start + 4]}


def features_of(folder: Path, make: Callable[[], Iterator[Chunk]], most_bytes: int) -> dict[str, RowsFile]:
    return FeatureCache(folder.with_suffix(""), most_bytes).features(folder.suffix[1:], make)


def refuse() -> Iterator[Chunk]:
    raise AssertionError("made again")


def test_features_are_made_once_and_keep_their_types(tmp_path: Path) -> None:
    for make in (chunks, refuse):
        files = features_of(tmp_path / "x.train", make, 10**6)
        found = {name: file.all() for name, file in files.items()}
        np.testing.assert_array_equal(found["vector"], VECTOR)
        np.testing.assert_array_equal(found["codes"], CODES)
        assert [values.dtype for values in found.values()] == [np.float32, np.int32]
        np.testing.assert_array_equal(files["codes"].take(np.array([5, 0], np.int32)), [[5], [0]])


def test_what_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    def broken() -> Iterator[Chunk]:
        yield next(chunks())
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        features_of(tmp_path / "x.train", broken, 10**6)
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]
    assert len(features_of(tmp_path / "x.train", chunks, 10**6)["vector"]) == 6


def folders(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in tmp_path.iterdir() if path.is_dir())


def test_what_was_used_longest_ago_goes_first_and_stays_readable_where_it_is_open(tmp_path: Path) -> None:
    size = VECTOR.nbytes + CODES.nbytes + 200  # with the index
    oldest = features_of(tmp_path / "a.train", chunks, 10**6)
    for used, name in ((100, "a"), (200, "b"), (300, "c")):
        features_of(tmp_path / f"{name}.train", chunks, 10**6)
        os.utime(tmp_path / f"{name}.train", (used, used))
    features_of(tmp_path / "a.train", refuse, 10**6)  # it is used now, so b is the oldest
    with locks.hold(tmp_path / "b.train.lock", "b"):
        features_of(tmp_path / "d.train", chunks, 3 * size)
        assert folders(tmp_path) == ["a.train", "b.train", "d.train"], "what another process is about to open stays"
    newest = features_of(tmp_path / "e.train", chunks, 0)
    assert folders(tmp_path) == ["e.train"], "its own folder stays"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["e.train.lock"], "no other lock stays"
    for files in (oldest, newest):
        np.testing.assert_array_equal(files["vector"].all(), VECTOR)
        np.testing.assert_array_equal(files["vector"].take(np.array([5], np.int32)), VECTOR[5:])


def test_who_waits_for_a_lock_that_is_removed_holds_the_new_one(tmp_path: Path) -> None:
    """So two never make the same features at the same time."""
    lock, told = tmp_path / "x.train.lock", list[str]()

    def wait() -> None:
        with locks.hold(lock, "x"):
            told.append("held")
            assert lock.is_file()
            with locks.held_if_free(lock) as free:
                told.append(f"free for others: {free}")

    waiting = Thread(target=wait)
    with locks.held_if_free(lock) as free:
        assert free
        waiting.start()
        time.sleep(0.2)
        lock.unlink()
        assert told == []
    waiting.join()
    assert told == ["held", "free for others: False"]


def test_what_a_kill_has_left_is_removed(tmp_path: Path) -> None:
    for name in ("x.train", "y.train", "z.train"):
        (tmp_path / f".{name}.abc{PARTIAL}" / "new").mkdir(parents=True)
    with locks.hold(tmp_path / "z.train.lock", "z"):
        features_of(tmp_path / "x.train", chunks, 10**6)
        assert folders(tmp_path) == [f".z.train.abc{PARTIAL}", "x.train"], "z is being made"


def test_jobs_share_features_where_these_are_the_same() -> None:
    identity = Identity(data={"train": "1"}, code="2", lock="3")  # type: ignore[typeddict-item]

    def key(**changed: object) -> str:
        config: Config = replace(config_of("mlp", "regression"), **changed)  # type: ignore[arg-type]
        return features_key(config, identity)

    config = config_of("mlp", "regression")
    same = [
        {"seed": 9},
        {"split": SplitConfig(1, 0.3, 0.1)},  # the rows count, and not how they were dealt out
        {"model": FAMILIES["mlp"].config(family="mlp", dropout=0.5)},  # type: ignore[call-arg]
        {"trainer": replace(config.trainer, epochs=3, batch_size=7, name="compiled")},
    ]
    other = [
        {"model": FAMILIES["linear"].config(family="linear")},
        {"preprocessing": PreprocessingConfig(rare=5)},
        {"trainer": replace(config.trainer, limit=LimitConfig(rows=5))},
        {"trainer": replace(config.trainer, instruction_set="native")},
        {"dataset": DatasetConfig("made", types=["number"])},
    ]
    assert {key(**changed) for changed in same} == {key()}
    assert len({key(), *(key(**changed) for changed in other)}) == len(other) + 1
    assert features_key(config, {**identity, "data": {"train": "2"}}) != key()
