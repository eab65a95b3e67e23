"""Signals while Python is in a call that it cannot leave, as TensorFlow's for an epoch is."""

import signal
import subprocess
import sys
import time

import pytest

CODE = """
import hashlib
from pipeline.training.interrupts import Interrupts
with Interrupts() as interrupts:
    print("begun", flush=True)
    hashlib.pbkdf2_hmac("sha256", b"", b"", {rounds})
    print("requested" if interrupts.requested else "not requested", flush=True)
print("went on", flush=True)
"""
LINE = "stopping after this epoch, which is saved (once more: at once)"


def start(rounds: int) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", CODE.format(rounds=rounds)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_is_told_at_once_and_kept(number: signal.Signals) -> None:
    process = start(10_000_000)  # seconds
    assert process.stderr is not None
    process.send_signal(number)
    assert process.stderr.readline() == f"{LINE}\n"
    assert process.poll() is None, "the call was left"
    printed, errors = process.communicate(timeout=120)
    assert (printed, errors, process.returncode) == ("requested\nwent on\n", "", 0)


def test_the_second_ends_the_process() -> None:
    process = start(2_000_000_000)  # many minutes
    assert process.stderr is not None
    process.send_signal(signal.SIGTERM)
    assert process.stderr.readline() == f"{LINE}\n"
    process.send_signal(signal.SIGINT)
    started = time.monotonic()
    printed, errors = process.communicate(timeout=60)
    assert (printed, errors, process.returncode) == ("", "interrupted\n", 130)
    assert time.monotonic() - started < 30
