"""Searches whose trials sleep, and have a result by a formula, by processes that can be killed.

Used by search.py.
"""

import math
import multiprocessing
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pipeline.search.study import Study

SPACE = {
    "model.dropout": "interval(0, 0.5)",
    "trainer.optimizer.learning_rate": "tag(log, interval(1e-4, 1e-1))",
    "model.filters": "choice([8,16],[16,32],[32,64])",
    "trainer.batch_size": "choice(32, 64, 128)",
    "model.l2": "tag(log, interval(1e-6, 1e-1))",
}
NAME = "made"
SHORTEST = 0.25  # of the seconds of the longest trials
WAIT_SECONDS = 0.02  # of a worker for which there is no trial


def loss(overrides: list[str]) -> float:
    values = dict(override.split("=") for override in overrides)
    rate = float(values["trainer.optimizer.learning_rate"])
    return abs(float(values["model.dropout"]) - 0.2) + abs(math.log10(rate) + 2)


def duration(overrides: list[str], longest: float) -> float:
    share = zlib.crc32("".join(overrides).encode()) % 1000 / 1000
    return longest * (SHORTEST + share * (1 - SHORTEST))


def begin(folder: Path, trials: int, lag: int, workers: int) -> "Study":
    from pipeline.config.sweep import SweepConfig
    from pipeline.layout import Layout
    from pipeline.search.plan import Plan
    from pipeline.search.study import Study

    settings = SweepConfig(space=SPACE, trials=trials, lag=lag, workers=workers, objectives=["val_loss"])
    return Study.create_or_open(Plan(NAME, "made", (), settings, ("minimize",), ""), Layout(folder))


def work(folder: str, longest: float, start: Any) -> None:
    """What a worker does, as soon as all that `start` with it, by a barrier, have come so far."""
    from pipeline.layout import Layout
    from pipeline.search.storage import silence
    from pipeline.search.study import Study
    from pipeline.search.trial import Result
    from pipeline.tracking.sweep_job import FINISHED

    silence()
    study = Study.open("", NAME, Layout(Path(folder)))
    if start is not None:
        start.wait()
    while not study.done:
        claimed = study.claim()
        if claimed is None:
            time.sleep(WAIT_SECONDS)
            continue
        started = time.time()
        time.sleep(duration(claimed.overrides, longest))
        seconds = time.time() - started
        claimed.finish(Result(FINISHED, (loss(claimed.overrides),), started=started, seconds=seconds))


@dataclass(frozen=True)
class Found:
    """`trials` is all that decides and results of a search. `seconds` pass from the start of its first trial to the end
    of its last one, and `slept` are those of its trials, one after another."""

    trials: list[tuple[Any, ...]]
    best: list[int]
    seconds: float
    slept: float


def search(folder: Path, trials: int, lag: int, workers: int, longest: float, kills: int = 0) -> Found:
    """A search by so many workers, whose trials take up to so many seconds. So many times, spread over it, a worker is
    killed and replaced."""
    context = multiprocessing.get_context("spawn")
    study, chance = begin(folder, trials, lag, workers), np.random.Generator(np.random.PCG64(workers))

    def begun(start: Any = None) -> Any:
        process = context.Process(target=work, args=(str(folder), longest, start))
        process.start()
        return process

    start = context.Barrier(workers)
    crew = [begun(start) for _ in range(workers)]
    for kill in range(kills):
        while study.progress().told < (kill + 1) * trials // (kills + 2):
            time.sleep(WAIT_SECONDS)
        time.sleep(chance.uniform(0, longest))
        number = int(chance.integers(workers))
        crew[number].kill()
        crew[number].join()
        crew[number] = begun()
    for process in crew:
        process.join()
    results = [trial.user_attrs["result"] for trial in study.trials()]
    ends = [result["started"] + result["seconds"] for result in results]
    return Found(
        [(trial.number, trial.state.name, trial.params, trial.values) for trial in study.trials()],
        study.best(),
        max(ends) - min(result["started"] for result in results),
        sum(result["seconds"] for result in results),
    )
