"""How a command ends: in a process of its own, as each does."""

import subprocess
import sys

import pytest

COMMAND = """
import os, signal, sys
from pipeline.cli import run_command, terminate_as_interrupt
from pipeline.errors import ConfigError

def command():
    terminate_as_interrupt()
    try:
        if sys.argv[1:]:
            os.kill(os.getpid(), int(sys.argv[1]))
    except KeyboardInterrupt:
        pass  # as a library may
    raise ConfigError("x: found 1, expected 2.")

run_command(command)
"""


@pytest.mark.parametrize(
    ("signals", "code", "line"),
    [([], 2, "error: x: found 1, expected 2."), (["2"], 130, "interrupted"), (["15"], 130, "interrupted")],
    ids=["no signal", "SIGINT", "SIGTERM"],
)
def test_an_interruption_that_a_library_lost_comes_before_its_error(signals: list[str], code: int, line: str) -> None:
    done = subprocess.run([sys.executable, "-c", COMMAND, *signals], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (code, line + "\n")
