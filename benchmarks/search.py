"""What a search costs beside its trainings, what waiting for an order costs, and whether kills change anything.

python benchmarks/search.py [--only asking lags kills store]

- asking: milliseconds to claim a trial and to finish it at once, by one worker on the journal file. Optuna's own `ask`
  and `tell` on its journal file stand beside it.
- lags: how many times as fast four workers are as one, by `sweep.lag`, in mode `ordered`, with trials that sleep.
- kills: the trials of one worker that nobody kills beside those of 1, 2 and 4 workers with 10 kills each.
- store: seconds for 8 processes to bring 200 runs to one fresh SQLite store, none of which may be lost or doubled.
"""

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import sleeping
from sleeping import SPACE, loss

RESULTS = Path(__file__).resolve().parent / "results" / "search.json"
SAMPLERS = ("tpe", "cmaes", "random", "qmc")
TRIALS = 200
LAST = 20  # so many of the last trials are averaged
CREWS, KILLS = (1, 2, 4), 10
LAGS, CREW = (4, 8, 16), 4
SHORT_TRIALS, LAG = 48, 8
LONGEST, BRIEF = 0.8, 0.2  # seconds of the longest trials
PROCESSES, RUNS, EPOCHS = 8, 200, 20


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
        claimed.finish(Result(FINISHED, (loss(claimed.overrides),)))

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
        study.tell(asked, loss([f"{key}={value}" for key, value in asked.params.items()]))

    return timed(trial, trials)


def timed(work: Callable[[], None], times: int) -> list[float]:
    marks = [time.perf_counter()]
    for _ in range(times):
        work()
        marks.append(time.perf_counter())
    return [1000 * (end - start) for start, end in itertools.pairwise(marks)]


def asking() -> dict[str, Any]:
    from pipeline.search.storage import silence

    silence()
    found: dict[str, Any] = {}
    for sampler in SAMPLERS:
        if sampler == "cmaes" and find_spec("cmaes") is None:
            continue
        with tempfile.TemporaryDirectory() as folder:
            kinds = {"ours": ours, "optuna": optunas}
            found[sampler] = {
                kind: round(statistics.median(measure(sampler, TRIALS, Path(folder))[-LAST:]), 2)
                for kind, measure in kinds.items()
            }
    return {"trials": TRIALS, "ms_per_trial": found}


def short_search(**how: Any) -> sleeping.Found:
    with tempfile.TemporaryDirectory() as folder:
        return sleeping.search(Path(folder), SHORT_TRIALS, **how)


def lags() -> dict[str, Any]:
    """Each search has its own trials, since what a sampler knows depends on the lag: the seconds of its trials one
    after another, beside those in which it had them."""
    found = {lag: short_search(lag=lag, workers=CREW, longest=LONGEST) for lag in LAGS}
    return {"lags": {str(lag): round(one.slept / one.seconds, 2) for lag, one in found.items()}}


def kills() -> dict[str, Any]:
    """Ends the program where a search differs."""
    alone = short_search(lag=LAG, workers=1, longest=BRIEF)
    if len(alone.trials) != SHORT_TRIALS:
        raise SystemExit(f"{len(alone.trials)} trials, expected {SHORT_TRIALS}")
    for workers in CREWS:
        killed = short_search(lag=LAG, workers=workers, longest=BRIEF, kills=KILLS)
        if (killed.trials, killed.best) != (alone.trials, alone.best):
            raise SystemExit(f"{workers} workers and {KILLS} kills have other trials than one worker")
    return {"kills": {"workers": list(CREWS), "kills of each": KILLS, "trials": SHORT_TRIALS, "same": True}}


def store() -> dict[str, Any]:
    """Ends the program where a run or a point is lost or doubled."""
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    from pipeline.layout import JOURNAL, Layout
    from pipeline.tracking.journal import FINISHED, Journal
    from pipeline.tracking.store import Store

    with tempfile.TemporaryDirectory() as root:
        layout = Layout(Path(root))
        names = [f"made-{number}" for number in range(RUNS)]
        for name in names:
            journal = Journal(layout.run(name) / JOURNAL)
            journal.start(name, "made", {}, {})
            for epoch in range(1, EPOCHS + 1):
                journal.metrics(epoch, {"loss": 1.0 / epoch, "val_loss": 2.0 / epoch})
            journal.end(FINISHED)
        start = time.perf_counter()
        command = [sys.executable, __file__, "--bring", root]
        crew = [subprocess.Popen([*command, *names[number::PROCESSES]]) for number in range(PROCESSES)]
        if any(process.wait() for process in crew):
            raise SystemExit("a process that brings runs has failed")
        seconds = time.perf_counter() - start
        client = Store(layout).client
        (place,) = [place.experiment_id for place in client.search_experiments() if place.name == "made"]
        runs = client.search_runs([place], max_results=2 * RUNS)
        points = [len(client.get_metric_history(run.info.run_id, "loss")) for run in runs]
        if sorted(run.info.run_name for run in runs) != sorted(names) or set(points) != {EPOCHS}:
            raise SystemExit(f"{len(runs)} runs with {set(points)} points, expected {RUNS} with {EPOCHS}")
    return {"store": {"processes": PROCESSES, "runs": RUNS, "epochs": EPOCHS, "seconds": round(seconds, 1)}}


def bring(root: str, names: list[str]) -> None:
    from pipeline.layout import Layout
    from pipeline.tracking.store import Store
    from pipeline.tracking.sync import sync

    layout = Layout(Path(root))
    opened = Store(layout)
    for name in names:
        sync(opened, layout.run(name))


PARTS = {"asking": asking, "lags": lags, "kills": kills, "store": store}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--bring", nargs="+", metavar=("ROOT", "RUN"), help="bring these runs to the store of ROOT")
    arguments = parser.parse_args()
    if arguments.bring:
        bring(arguments.bring[0], arguments.bring[1:])
        return
    found = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name in arguments.only:
        part = PARTS[name]()
        print(json.dumps(part, indent=2), flush=True)
        found |= part
        RESULTS.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
