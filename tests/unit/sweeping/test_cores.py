"""Each worker of this machine computes on cores of its own; a worker that is replaced leaves its cores to the next."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.layout import Layout
from pipeline.search.study import Study
from pipeline.search.trial import Result
from pipeline.sweeping import processes
from pipeline.sweeping.cores import hold_to, shares
from pipeline.sweeping.telling import Teller
from pipeline.tracking.sweep_job import FINISHED
from tests.unit.search.simulated import plan_of


@pytest.mark.parametrize(
    ("cores", "workers", "threads", "expected"),
    [
        ({0, 1, 2, 3}, 2, 1, [{0, 1}, {2, 3}]),
        ({0, 1, 2, 3}, 2, 2, [{0, 1}, {2, 3}]),
        ({0, 1, 2, 3}, 2, 3, [set(), set()]),
        ({1, 3, 5, 7, 9}, 2, 2, [{1, 3}, {5, 7, 9}]),
        ({4, 6}, 2, 1, [{4}, {6}]),
        ({4, 6}, 1, 1, [{4, 6}]),
        ({4, 6}, 3, 1, [set(), set(), set()]),
    ],
)
def test_cores_are_dealt_out_evenly(
    cores: set[int], workers: int, threads: int, expected: list[set[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: cores)
    assert [set(share) for share in shares(workers, threads)] == expected


def test_a_system_without_affinity_shares_all_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.delattr(os, "sched_setaffinity")
    (share,) = shares(1, 1)
    assert share == frozenset()
    hold_to(share, os.getpid())


def test_a_process_is_held_to_its_cores() -> None:
    core = min(os.sched_getaffinity(0))
    code = "import os, sys; sys.stdin.read(); print(sorted(os.sched_getaffinity(0)))"
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    hold_to(frozenset({core}), process.pid)
    assert process.communicate() == (f"[{core}]\n", None)
    hold_to(frozenset({core}), process.pid)  # has ended, and is nothing to complain about


def test_a_worker_that_is_replaced_leaves_its_cores_to_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = Layout(tmp_path)
    study = Study.create_or_open(plan_of(trials=1, workers=2), layout)
    codes, given = [0, 0, -9], list[Any]()

    def started(order: Any, root: Path, environment: dict[str, str], cores: frozenset[int]) -> Any:
        given.append(set(cores))
        code = codes.pop()
        if not codes and (claimed := study.claim()):
            claimed.finish(Result(FINISHED, (1.0,)))
        ended = {"runs": False, "died": code != 0, "code": code, "name": "machine:7"}
        return SimpleNamespace(**ended, tell_to_stop=lambda: None, wait=lambda: None)

    monkeypatch.setattr(processes, "Worker", started)
    monkeypatch.setattr(processes, "POLL_SECONDS", 0.0)
    monkeypatch.setattr(processes, "num_threads", lambda plan, layout: 2)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1, 2, 3})
    processes.processes(study, layout, 0.0, Teller(study, layout))
    assert given == [{0, 1}, {2, 3}, {0, 1}]
