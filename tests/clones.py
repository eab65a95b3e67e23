"""Clones of the working tree, and a reproduced one that tests copy."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXPERIMENTS = ("linear_diabetes", "logistic_breast_cancer", "logistic_digits", "cnn_digits", "rnn_digits")
# The other datasets, with their experiments, are left out of short clones to save time.
LEFT_OUT = ("reviews_synthetic", "spoken_digits_synthetic", "splice_synthetic")
IDENTITY = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
# `make` that does not set its environment up anew
MAKE = ["make", "-o", f"{sys.prefix}/.installed", f"VENV={sys.prefix}"]
EPOCHS = 2  # of the networks
# it holds the absolute paths of where it was made; register fills a new one
STORE = ("mlflow.db", "mlflow.db.lock", "mlartifacts")


# the developer's, and what the test process has set for its own TensorFlow
SET_FOR_TENSORFLOW = ("ONEDNN_MAX_CPU_ISA", "TF_ENABLE_ONEDNN_OPTS", "XLA_FLAGS")
NOT_PASSED_ON = {"MLFLOW_TRACKING_URI", "PYTHONPATH", "DVC_ROOT", *SET_FOR_TENSORFLOW}


def environment() -> dict[str, str]:
    """The process environment with this interpreter first on PATH, without NOT_PASSED_ON."""
    kept = {k: v for k, v in os.environ.items() if k not in NOT_PASSED_ON}
    return kept | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def clone(target: Path) -> Path:
    """The working tree's tracked files, uncommitted changes included, as a repository of their own."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    for command in (["init", "-q"], ["add", "-A"], [*IDENTITY, "commit", "-qm", "start"]):
        subprocess.run(["git", *command], cwd=target, check=True, capture_output=True)
    return target


def short_clone(target: Path) -> Path:
    """A clone with EXPERIMENTS alone, whose networks train for two epochs; their scores then count for nothing. CI
    reproduces all of them in full."""
    leave_out(clone(target))
    for name in ("cnn_digits", "rnn_digits"):
        # as in a longer training, where XLA pays
        xla = "  xla: 'on'\n" if name == "rnn_digits" else ""
        for path, pattern, new in (
            (target / "conf" / "experiment" / f"{name}.yaml", r"  epochs: \d+\n", f"  epochs: {EPOCHS}\n{xla}"),
            (target / "params.yaml", rf"    {name}: {{.*}}\n", ""),
        ):
            text, count = re.subn(pattern, new, path.read_text())
            assert count == 1
            path.write_text(text)
    subprocess.run(["git", *IDENTITY, "commit", "-qam", "shorter"], cwd=target, check=True)
    return target


def leave_out(root: Path) -> None:
    """Take the datasets of LEFT_OUT and their experiments out of params.yaml."""
    lines = (root / "params.yaml").read_text().splitlines(keepends=True)
    gone = {line.split(":")[0].strip() for line in lines if line.rstrip().endswith(tuple(f": {x}" for x in LEFT_OUT))}
    kept = [
        line
        for line in lines
        if line.split(":")[0].strip() not in gone and line.strip() not in [f"- {name}" for name in LEFT_OUT]
    ]
    assert len(lines) - len(kept) == 3 * len(LEFT_OUT)
    (root / "params.yaml").write_text("".join(kept))


def shell(root: Path, command: str, programs: Path | None = None) -> str:
    """Run it as a user would in an activated shell; programs in the folder `programs` come before all others."""
    command = re.sub(r"^make ", f"{' '.join(MAKE)} ", command)
    env = environment()
    if programs is not None:
        env["PATH"] = f"{programs}{os.pathsep}{env['PATH']}"
    done = subprocess.run(["bash", "-c", command], cwd=root, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def reproduce(target: Path, run: Callable[[Path, str], str]) -> None:
    """A short clone in which `make repro` has run, as a new user would run it first; `run` is `shell` or quicker."""
    printed = run(short_clone(target), "make repro")
    for name in EXPERIMENTS:
        (row,) = [line for line in printed.splitlines() if line.startswith(f"{name}  ")]
        assert " champion " in row, row


def copy(reproduced: Path, target: Path) -> Path:
    """The reproduced clone elsewhere, without its store."""
    shutil.copytree(reproduced, target, symlinks=True, ignore=shutil.ignore_patterns(*STORE))
    return target
