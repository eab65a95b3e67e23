"""How long MLflow is waited for: beside a training hardly, where a person waits for the result longer."""

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.layout import Layout
from pipeline.tracking.follower import Follower
from tests.clones import environment

NAME = "MLFLOW_HTTP_REQUEST_TIMEOUT"


@pytest.mark.parametrize(
    ("argument", "given", "expected"), [("", None, "3"), ("FOR_A_PERSON", None, "30"), ("", "7", "7")]
)
def test_the_first_call_and_the_user_decide(argument: str, given: str | None, expected: str) -> None:
    code = (
        f"import os; from pipeline.tracking.settings import *; set_defaults({argument}); set_defaults(FOR_A_PERSON); "
        f"set_defaults(); print(os.environ['{NAME}'])"
    )
    env = {key: value for key, value in environment().items() if key != NAME} | ({NAME: given} if given else {})
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == expected


def stopped(layout: Layout, monkeypatch: pytest.MonkeyPatch, script: str) -> str | None:
    """What a follower says at the end whose process does as `script` says."""
    popen = subprocess.Popen

    def instead(command: list[str], **options: object) -> "subprocess.Popen[bytes]":
        return popen([sys.executable, "-c", script], **options)  # type: ignore[call-overload,no-any-return]

    monkeypatch.setattr(subprocess, "Popen", instead)
    layout.runs.mkdir(exist_ok=True)
    return Follower(layout, layout.runs / "sync.log").stop(2)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("pass", None),
        ("import time; time.sleep(30)", "it needs more than 2 s, and goes on in the background"),
        ("import sys; print('no server', flush=True); sys.exit(1)", "sync.log says why"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", None),
    ],
    ids=["delivered", "slow", "refused", "ended by who delivers it"],
)
def test_what_a_follower_says_at_its_end(
    script: str, expected: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = stopped(Layout(tmp_path), monkeypatch, script)
    assert (said is None) == (expected is None), said
    assert expected is None or expected in str(said)


def test_the_name_of_the_setting_is_mlflows() -> None:
    code = "import mlflow.environment_variables as m; print(*dir(m))"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert NAME in done.stdout.split()
