"""What a callback keeps comes back as it was from a checkpoint, or the callback is refused at the start."""

import functools
import json
from pathlib import Path

import keras
import numpy as np
import pytest

from pipeline.data.sampling import TrainingData
from pipeline.errors import ConfigError
from pipeline.tracking.journal import Journal
from pipeline.training import callbacks
from pipeline.training.callbacks import restore_state, state_of
from pipeline.training.fit import fit
from tests.contracts.test_families import config_of, rows_of, schema_of

KEPT = {
    "set": {1, 2},
    "frozen": frozenset({"a"}),
    "by number": {1: "one", (2, 3): [4, {5}]},
    "by name": {"set": [1], "numpy.ndarray": None},
    "pair": (1, (2.5, None)),
    "list": [True, float("inf")],
    "array": np.arange(3, dtype=np.int16),
    "arrays": [np.zeros((2, 2)), {"w": np.float32(0.1)}],
    "text": "Ü",
}


class Keeping(keras.callbacks.Callback):
    def __init__(self, kept: object = None) -> None:
        super().__init__()
        self.kept, self.better = kept, np.less


def test_everything_comes_back_as_it_was() -> None:
    arrays: list[np.ndarray] = [np.zeros(1)]  # of another callback
    state = json.loads(json.dumps(state_of(Keeping(KEPT), arrays)))
    restored = Keeping()
    restore_state(restored, state, arrays)
    found = restored.kept
    assert list(found) == list(KEPT)
    for name in ("array", "arrays"):
        np.testing.assert_equal(found.pop(name), KEPT[name])
    assert found == {name: value for name, value in KEPT.items() if not name.startswith("array")}
    assert type(found["pair"]) is tuple
    assert restored.better is np.less


@pytest.mark.parametrize(
    ("kept", "kind"),
    [
        (object(), "object"),
        (functools.partial(print, 1), "partial"),
        ([{"x": Path("a")}], "PosixPath"),
        ({b"x": 1}, "bytes"),
    ],
)
def test_what_no_checkpoint_holds_is_refused_at_the_start(
    kept: object, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(callbacks.CALLBACKS, "keeping", lambda: Keeping(kept))
    config = config_of("linear", "regression")
    config.trainer.callbacks = {"keeping": {}}
    rows = rows_of(schema_of("table", "regression"), 1)
    journal = Journal(tmp_path / "journal.jsonl")
    with pytest.raises(
        ConfigError, match=rf"trainer.callbacks: Keeping.kept holds a {kind}, which a checkpoint cannot"
    ):
        fit(config, TrainingData(schema_of("table", "regression"), rows, rows), tmp_path, journal)
    assert '"epoch"' not in (tmp_path / "journal.jsonl").read_text()
