"""What a command that refuses its input prints, and what it must leave as it was."""

import hashlib
import subprocess
from pathlib import Path

KEPT = ("build", "data/prepared", "mlartifacts", "mlflow.db")  # DVC's outputs and the registry


def line_of(done: "subprocess.CompletedProcess[str]") -> str:
    """The one line that a command refused its input with."""
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    lines = done.stderr.strip().splitlines()
    assert sum(line.startswith("error: ") for line in lines) == 1, done.stderr
    return lines[-1]


def content(root: Path) -> dict[str, str]:
    """A digest of each file of DVC's outputs and the registry; locks, kept features and the list of what was refused
    are none of them."""
    files = [file for name in KEPT for file in (root / name, *(root / name).rglob("*")) if file.is_file()]
    return {
        str(file.relative_to(root)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
        if not {"locks", "features", "refused"} & set(file.relative_to(root).parts)
    }
