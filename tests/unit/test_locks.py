"""A lock names its holder; one that gives way is ended, and one that does not is waited for."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline import locks

HOLD = """
import sys, time
from pathlib import Path
from pipeline import locks
with locks.hold(Path(sys.argv[1]), "the thing", gives_way=sys.argv[2] == "True"):
    print("held", flush=True)
    time.sleep(float(sys.argv[3]))
"""


def holder(path: Path, gives_way: bool, seconds: float) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", HOLD, str(path), str(gives_way), str(seconds)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_one_that_gives_way_is_ended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    process = holder(tmp_path / "lock", True, 300)
    with locks.hold(tmp_path / "lock", "the thing"):
        assert process.wait(timeout=30) == -signal.SIGTERM
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("gives_way", [True, False])
def test_others_are_waited_for(gives_way: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two that give way wait for each other too."""
    started = time.monotonic()
    process = holder(tmp_path / "lock", gives_way, 1)
    with locks.hold(tmp_path / "lock", "the thing", gives_way=gives_way):
        assert time.monotonic() - started >= 1
    assert process.wait(timeout=30) == 0
    said = capsys.readouterr().err
    assert said.startswith(f"waiting for process {process.pid}")
    assert "which holds the thing" in said


def test_a_lock_is_held_as_soon_as_it_is_free(tmp_path: Path) -> None:
    """Who looks at it at the wrong moment, or has it for a while, does not keep it from being held later."""
    path = tmp_path / "lock"
    process = holder(path, False, 0.5)
    with locks.held_when_free(path):
        assert process.wait(timeout=30) == 0
        deadline = time.monotonic() + 30
        while not locks.held(path):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        with locks.held_when_free(path):
            pass
        assert locks.held(path)
    assert not locks.held(path)
