"""From a trial to an experiment of the pipeline: its file in conf/, its line in params.yaml, and its training as the
output of the stage `train`, so that nobody trains it again."""

import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pipeline import locks
from pipeline.compose import as_plain, compose_config, compose_incomplete
from pipeline.config import Config
from pipeline.errors import ArtifactError, ConfigError
from pipeline.files import replacing, replacing_folder, write_json
from pipeline.identity import Identity, identify, read_identity
from pipeline.inspecting.params_text import with_experiment
from pipeline.layout import IDENTITY, LOCK, MODEL, Layout
from pipeline.tracking.sweep import FINISHED, Sweep, SweepJob
from pipeline.train import identified

# What is not a value of the experiment: its name comes from its file, and only DVC's stages set the output.
NOT_WRITTEN = ("name", "output")
DERIVED = ("name", "types")  # of the dataset


@dataclass(frozen=True)
class Adoption:
    """A trial of a sweep, and the name that its experiment gets."""

    sweep: str
    job: SweepJob
    of: int  # how many trials have finished
    name: str
    found: Sweep


def adopt_trial(layout: Layout, adoption: Adoption) -> tuple[list[Path], bool]:
    """Write the experiment of a trial, and return the files, and whether its training is at hand for `dvc repro`.

    Raises ConfigError, with nothing written, where the name is taken or the trial's configuration cannot be composed.
    """
    job, name = adoption.job, adoption.name
    if job.status != FINISHED:
        raise ConfigError(
            f"trial {job.number} of sweep {adoption.sweep} is {job.status.lower()}. Adopt a finished one."
        )
    path = layout.conf / "experiment" / f"{name}.yaml"
    if path.exists():
        raise ConfigError(f"{path.relative_to(layout.root)}: is there already. Remove it, or choose another name: as=.")
    config = compose_config(layout, "config", job.overrides)
    if identified(config, layout).identity["identity"] != job.identity:
        raise ConfigError(
            f"trial {job.number} of sweep {adoption.sweep} was trained with another configuration, code or data than "
            f"this checkout has. Bring the checkout to the state of {job.identity} (its run in MLflow names the commit)."
        )
    base = _base(layout, config)
    text = provenance(adoption) + experiment_text(as_plain(config), base)
    params = with_experiment(layout.params.read_text(encoding="utf-8"), config.dataset.name, name)
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    try:
        _check_same(layout, config, name)
        with replacing(layout.params) as temporary:
            temporary.write_text(params, encoding="utf-8")
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return [path, layout.params], bring_training(layout, job, name)


def provenance(adoption: Adoption) -> str:
    """The comment at the top of the experiment's file: where its values come from, and how far to trust the score."""
    job = adoption.job
    scores = ", ".join(f"{goal} {value:.6g}" for goal, value in zip(job.goals, job.scores, strict=True))
    command = adoption.found.command or "unknown"
    return (
        "# @package _global_\n"
        f"# Trial {job.number} of sweep {adoption.sweep}, adopted on {time.strftime('%Y-%m-%d')}.\n"
        f"#   {command}\n"
        f"# Validation {scores}, chosen among {adoption.of} trials by that, so it is better than it is.\n"
        f"# `dvc repro evaluate@{adoption.name}` tells its test score, with an interval.\n"
    )


@dataclass(frozen=True)
class Base:
    """An experiment with these choices of Hydra's groups, and nothing else."""

    choices: dict[str, str]
    values: dict[str, Any]


def _base(layout: Layout, config: Config) -> Base:
    choices = {"dataset": config.dataset.name, "model": config.model.family, "trainer": config.trainer.name}
    chosen = [f"{group}={choice}" for group, choice in choices.items()]
    return Base(choices, compose_incomplete(layout, [*chosen, "~experiment"]))


def experiment_text(values: dict[str, Any], base: Base) -> str:
    """The YAML of an experiment with these values."""
    defaults = [{f"override /{group}": choice} for group, choice in base.choices.items()]
    own = {key: value for key, value in values.items() if key not in NOT_WRITTEN}
    own["dataset"] = {key: value for key, value in own["dataset"].items() if key not in DERIVED}
    text = yaml.safe_dump({"defaults": defaults}, sort_keys=False)
    differing = differences(own, base.values)
    return text + ("\n" + yaml.safe_dump(differing, sort_keys=False) if differing else "")


def differences(values: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """The values that are not the same in `base`; of mappings their differing entries alone."""
    found = {}
    for key, value in values.items():
        other = base.get(key)
        if isinstance(value, dict) and isinstance(other, dict):
            if inner := differences(value, other):
                found[key] = inner
        elif key not in base or value != other:
            found[key] = value
    return found


def _check_same(layout: Layout, config: Config, name: str) -> None:
    """Raise ArtifactError unless the file that was written says what the trial was trained with."""
    written, trained = as_plain(compose_config(layout, "config", [f"experiment={name}"])), as_plain(config)
    differing = differences({**trained, "name": name, "output": None}, written)
    if differing:
        raise ArtifactError(f"the trial's configuration cannot be written as an experiment: {differing} would be lost.")


def bring_training(layout: Layout, job: SweepJob, name: str) -> bool:
    """Make the trial's training the output of the stage `train@<name>`, where its model is there and it was trained by
    the code, the data and the lock file of now. Returns whether it is there."""
    trained = layout.run(job.identity) / "output"
    if not (trained / MODEL).is_file():
        return False
    config = compose_config(layout, "config", [f"experiment={name}"])
    for target in ("configure", f"prepare@{config.dataset.name}"):
        _dvc(layout, "repro", target)
    identity = identify(config, layout, layout.prepared(config.dataset.name))
    if not same_training(identity, read_identity(trained)):
        return False
    with locks.hold(layout.run(job.identity) / LOCK, f"run {job.identity}"):
        if not (trained / MODEL).is_file():
            return False
        with replacing_folder(layout.trained(name)) as folder:
            shutil.copytree(trained, folder, dirs_exist_ok=True)
            write_json(folder / IDENTITY, identity)
    _dvc(layout, "commit", "-f", f"train@{name}")
    return True


def same_training(one: Identity, other: Identity) -> bool:
    """Whether two trainings differ in their names alone."""
    return all(one[key] == other[key] for key in ("dataset", "config", "data", "code", "lock", "threads"))


def _dvc(layout: Layout, *arguments: str) -> None:
    command = [sys.executable, "-m", "dvc", *arguments]
    done = subprocess.run(command, cwd=layout.root, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise ConfigError(
            f"dvc {' '.join(arguments)}: {said[-1] if said else f'exit code {done.returncode}'}. The experiment is "
            "written; `dvc repro` trains it."
        )
