"""What is trained: sizes and hyperparameters that all contenders share, and the rows."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Case:
    """`shape` of one row's features; `classes` 0 for regression; `model` as in conf/model/. `epochs` are ours, enough
    for `trainer.xla=auto` to decide as in a real training; a rival, whose epochs take the same each, trains fewer."""

    family: str
    rows: int
    shape: tuple[int, ...]
    classes: int
    epochs: int
    model: dict[str, Any] = field(default_factory=dict)
    batch_size: int = 32
    learning_rate: float = 0.001
    rival_epochs: int = 16

    def data(self, split: int) -> tuple[NDArray[np.float32], NDArray[Any]]:
        """Features (N, *shape) and target (N,) of split 0 (train, `rows`) or 1 (validation, an eighth of it)."""
        random = np.random.default_rng(split)
        rows = self.rows if split == 0 else self.rows // 8
        features = random.normal(size=(rows, *self.shape)).astype(np.float32)
        score = features.reshape(rows, -1).mean(axis=1) * np.sqrt(np.prod(self.shape))
        if not self.classes:
            return features, score.astype(np.float32)
        edges = np.quantile(score, np.linspace(0, 1, self.classes + 1)[1:-1])
        return features, np.digitize(score, edges).astype(np.int32)


RNN = {"units": [64], "bidirectional": False}
CASES = {
    "linear 353x10": Case("linear", 353, (10,), 0, 1000),
    "logistic 448x30": Case("logistic", 448, (30,), 2, 1000),
    "cnn 8x8, filters 8 16": Case("cnn", 1257, (8, 8, 1), 10, 110, {"filters": [8, 16]}),
    "cnn 8x8, filters 32 64 128": Case("cnn", 1257, (8, 8, 1), 10, 110, {"filters": [32, 64, 128], "pool_every": 2}),
    "cnn 28x28, filters 16 32": Case("cnn", 1024, (28, 28, 1), 10, 130, {"filters": [16, 32]}),
    "rnn simple, T=32": Case("rnn", 1024, (32, 8), 10, 50, {"cell": "simple", **RNN}),
    "rnn lstm, T=32": Case("rnn", 1024, (32, 8), 10, 50, {"cell": "lstm", **RNN}),
    "rnn gru, T=32": Case("rnn", 1024, (32, 8), 10, 50, {"cell": "gru", **RNN}),
}


def serve(train: Callable[[Case], list[float]]) -> None:
    """Train once for each line of standard input. `train` returns the clock at its start and at each epoch's end."""
    case = CASES[sys.argv[1]]
    for _ in sys.stdin:
        start, *ends = train(case)
        epoch = (ends[-1] - ends[0]) / (len(ends) - 1)
        print(json.dumps({"first_epoch": ends[0] - start, "epoch": epoch}), flush=True)
