"""What a run says of itself: its parameters, and tags for commit, libraries and machine."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

from pipeline.identity import Identity

LIBRARIES = ("tensorflow", "keras", "numpy", "mlflow", "dvc", "hydra-core")
WRITTEN_BY_PIPELINE = ("dvc.lock",)


def run_tags(identity: Identity, root: Path) -> dict[str, str]:
    """The tags of a run: digests of what it was made from, the git commit and whether files differ from it, the
    versions of libraries, and the machine."""
    tags = {
        "pipeline.identity": str(identity["identity"]),
        "pipeline.config": identity["config"],
        "pipeline.code": identity["code"],
        "pipeline.lock": identity["lock"],
        "pipeline.dataset": identity["dataset"],
        "pipeline.threads": str(identity["threads"]),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu_count": str(os.cpu_count()),
    }
    tags |= {f"pipeline.data.{split}": digest for split, digest in identity["data"].items()}
    tags |= {f"version.{library}": version(library) for library in LIBRARIES}
    return tags | git_tags(root)


def run_params(config: dict[str, object]) -> dict[str, object]:
    """A run's parameters: the values of its resolved configuration by dotted key, without its name and output."""
    return flatten({key: value for key, value in config.items() if key not in ("name", "output")})


def git_tags(root: Path) -> dict[str, str]:
    """The commit, and whether files differ from it other than those that the pipeline itself writes."""
    commit = _git(root, "rev-parse", "HEAD")
    if commit is None:
        return {"git.commit": "none"}
    status = _git(root, "status", "--porcelain") or ""
    changed = [line[3:] for line in status.splitlines() if line[3:] not in WRITTEN_BY_PIPELINE]
    return {
        "git.commit": commit,
        "git.dirty": "true" if changed else "false",
        "mlflow.source.git.commit": commit,
    }


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.rstrip("\n") if done.returncode == 0 else None


def flatten(values: dict[str, object], prefix: str = "") -> dict[str, object]:
    """Nested mappings as a single one, whose keys are joined by dots. Lists stay values."""
    flat: dict[str, object] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat
