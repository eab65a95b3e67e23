"""A sweep on disk: sweep.json says what it is, and <number>/job.json has the record of each of its jobs, whichever
process runs it. Both stand in the sweep's folder runs/sweeps/<name>/.

MLflow's parent run, the page and the table at the end are made from these files alone.
"""

import json
import shlex
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from pipeline.errors import ArtifactError
from pipeline.files import write_json
from pipeline.layout import JOB, SWEEP
from pipeline.tracking.ranking import ranked
from pipeline.tracking.settings import hide_password
from pipeline.tracking.sweep_job import RUNNING, SweepJob


@dataclass(frozen=True)
class Sweep:
    """What a sweep is, beside its jobs: the content of sweep.json in its folder. All of it may be unknown.

    MLflow shows the sweep's run in `experiment`. `space` holds what is searched, as the user writes it. `ended` says
    whether its last command has come to its end; None where nobody noted that, as with a grid. `study` is the token of
    the study that the records are of.
    """

    command: str = ""
    experiment: str = ""
    space: dict[str, str] = field(default_factory=dict)
    ended: bool | None = None
    study: str = ""

    def save(self, folder: Path) -> None:
        write_json(folder / SWEEP, asdict(self))


def command_given() -> str:
    """The command that this process runs, to be given again. It has no password in it, and not what we add to it."""
    words = [hide_password(word) for word in sys.argv[1:] if not word.startswith("hydra.sweep.dir=")]
    name = Path(sys.argv[0]).stem.removeprefix("pipeline-")  # its script in .venv/bin is pipeline-train
    return shlex.join(["python", "-m", f"pipeline.{name}", *words])


def read_sweep(folder: Path) -> Sweep:
    path = folder / SWEEP
    if not path.is_file():
        return Sweep()
    try:
        return Sweep(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise ArtifactError(f"{path}: damaged ({error}). Remove it; MLflow then shows no command.") from error


def read_jobs(folder: Path) -> list[SweepJob]:
    """The records in a sweep's folder in the order of `ranked`, best first."""
    return ranked(_read_job(folder, path) for path in folder.glob(f"*/{JOB}"))


def note_ended(folder: Path, ended: bool) -> None:
    replace(read_sweep(folder), ended=ended).save(folder)


def read_job(folder: Path, number: int) -> SweepJob | None:
    """The record of one job, or None where it has none."""
    path = folder / str(number) / JOB
    return _read_job(folder, path) if path.is_file() else None


def _read_job(folder: Path, path: Path) -> SweepJob:
    try:
        return SweepJob(folder, **json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise ArtifactError(f"{path}: damaged ({error}). Remove {path.parent} and give the sweep again.") from error


def keep_records(folder: Path, jobs: Iterable[SweepJob]) -> None:
    """Keep records of jobs that ran on other machines in this machine's folder of the sweep. A record that says how its
    job has ended stays as it is."""
    for job in jobs:
        known = read_job(folder, job.number)
        if known is None or (known.status == RUNNING and job.status != RUNNING):
            SweepJob(**{**vars(job), "folder": folder}).save()
