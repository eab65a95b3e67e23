"""What a search costs beside its trainings: milliseconds a trial, by how many trials there are.

python benchmarks/search.py

Each trial is claimed and finished at once, with a result by a formula, by one worker on the journal file. Optuna's own
`ask` and `tell` on its journal file stand beside it.
"""

import argparse
import itertools
import json
import math
import statistics
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results" / "search.json"
SAMPLERS = ("tpe", "cmaes", "random", "qmc")
SPACE = {
    "model.dropout": "interval(0, 0.5)",
    "trainer.optimizer.learning_rate": "tag(log, interval(1e-4, 1e-1))",
    "model.filters": "choice([8,16],[16,32],[32,64])",
    "trainer.batch_size": "choice(32, 64, 128)",
    "model.l2": "tag(log, interval(1e-6, 1e-1))",
}
TRIALS = 200
LAST = 20  # so many of the last trials are averaged


def loss(values: dict[str, Any]) -> float:
    rate = float(values["trainer.optimizer.learning_rate"])
    return abs(float(values["model.dropout"]) - 0.2) + abs(math.log10(rate) + 2)


def ours(sampler: str, trials: int, folder: Path) -> list[float]:
    """Milliseconds of each trial."""
    from pipeline.config.sweep import SamplerConfig, SweepConfig
    from pipeline.layout import Layout
    from pipeline.search.plan import Plan
    from pipeline.search.study import Study
    from pipeline.search.trial import Result
    from pipeline.tracking.sweep_job import FINISHED

    # With more trials to come, each one that is told makes room for another one to be asked.
    settings = SweepConfig(space=SPACE, sampler=SamplerConfig(sampler), trials=2 * trials, objectives=["val_loss"])
    study = Study.create_or_open(Plan(sampler, "made", (), settings, ("minimize",), ""), Layout(folder))

    def trial() -> None:
        claimed = study.claim()
        assert claimed is not None
        values = dict(override.split("=") for override in claimed.overrides)
        claimed.finish(Result(FINISHED, (loss(values),)))

    return timed(trial, trials)


def optunas(sampler: str, trials: int, folder: Path) -> list[float]:
    """The same by Optuna's own `ask` and `tell`."""
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    from pipeline.search.space import parse_space

    samplers = {"tpe": optuna.samplers.TPESampler, "cmaes": optuna.samplers.CmaEsSampler}
    others = {"random": optuna.samplers.RandomSampler, "qmc": optuna.samplers.QMCSampler}
    storage = JournalStorage(JournalFileBackend(str(folder / f"{sampler}.log")))
    study = optuna.create_study(storage=storage, sampler=(samplers | others)[sampler](seed=1))
    distributions = {each.key: each.distribution for each in parse_space(SPACE).parameters}

    def trial() -> None:
        asked = study.ask(distributions)
        study.tell(asked, loss(asked.params))

    return timed(trial, trials)


def timed(work: Callable[[], None], times: int) -> list[float]:
    marks = [time.perf_counter()]
    for _ in range(times):
        work()
        marks.append(time.perf_counter())
    return [1000 * (end - start) for start, end in itertools.pairwise(marks)]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=TRIALS)
    trials = parser.parse_args().trials
    from pipeline.search.storage import silence

    silence()
    found: dict[str, Any] = {"trials": trials, "ms_per_trial": {}}
    for sampler in SAMPLERS:
        if sampler == "cmaes" and find_spec("cmaes") is None:
            continue
        with tempfile.TemporaryDirectory() as folder:
            kinds = {"ours": ours, "optuna": optunas}
            found["ms_per_trial"][sampler] = {
                kind: round(statistics.median(measure(sampler, trials, Path(folder))[-LAST:]), 2)
                for kind, measure in kinds.items()
            }
    print(json.dumps(found, indent=2))
    RESULTS.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
