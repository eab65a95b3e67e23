"""From a trial to an experiment of the pipeline: its file in conf/, its line in params.yaml, and its training as the
output of the stage `train`, so that nobody trains it again."""

import shutil
import subprocess
import sys
import time
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
from pipeline.run import identified
from pipeline.sweeping.differing import differences, differing_keys
from pipeline.sweeping.scoring import score_on_test_rows
from pipeline.tracking.ranking import front
from pipeline.tracking.sweep import Sweep
from pipeline.tracking.sweep_job import FINISHED, SweepJob

# What is not a value of the experiment: its name comes from its file, and only DVC's stages set the output.
NOT_WRITTEN = ("name", "output")
DERIVED = ("name", "types")  # of the dataset


@dataclass(frozen=True)
class Adoption:
    """A trial of a sweep, and the name that its experiment gets. `jobs` are all trials of the sweep, best first."""

    sweep: str
    job: SweepJob
    jobs: list[SweepJob]
    name: str
    found: Sweep

    @property
    def chosen(self) -> str:
        """How the trial came to be chosen, and how far its validation score is to be trusted."""
        finished = [job for job in self.jobs if job.status == FINISHED]
        place = [job.number for job in finished].index(self.job.number) + 1
        ahead = front(finished)
        optimistic = "since it was chosen for that, it is better than it is"
        if self.job.number in {job.number for job in ahead} and len(self.job.goals) > 1:
            return f"one of {len(ahead)} on the Pareto front of {len(finished)} trials; {optimistic}"
        if place == 1 and ahead:
            return f"the best of {len(finished)} trials; {optimistic}"
        if self.job.violation:
            return f"one of {len(finished)} trials, which misses a constraint and was chosen by its number"
        return f"number {place} of {len(finished)} trials, chosen by its number"


@dataclass(frozen=True)
class Adopted:
    """What came of an adoption: the files that were written, whether the training is at hand for `dvc repro`, and the
    test score in words, where the trial's predictions are there."""

    files: list[Path]
    at_hand: bool
    test_score: str | None


def adopt_trial(layout: Layout, adoption: Adoption) -> Adopted:
    """Write the experiment of a trial.

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
    _check_prepared(layout, config, adoption)
    run = identified(config, layout)
    if run.identity["identity"] != job.identity:
        raise ConfigError(
            f"trial {job.number} of sweep {adoption.sweep} was trained with another configuration, code or data than "
            f"this checkout has. Go back to that of {job.identity}, whose run in MLflow names the commit."
        )
    scored = score_on_test_rows(run)
    base = _base(layout, config)
    text = provenance(adoption, scored) + experiment_text(as_plain(config), base)
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
    return Adopted([path, layout.params], bring_training(layout, job, name), scored)


def _check_prepared(layout: Layout, config: Config, adoption: Adoption) -> None:
    """Raise ConfigError for a trial on other data than the pipeline prepares, where `configure` would refuse its
    experiment, or the test rows would be others."""
    name, own = config.dataset.name, as_plain(config)
    prepared = as_plain(compose_config(layout, "prepare", [f"dataset={name}"]))
    for key, value in differing_keys({part: own[part] for part in prepared}, prepared):
        instead = (
            "params.yaml has one split for all experiments: set it there, and search again."
            if key.startswith("split.")
            else "Make a dataset of its own in conf/dataset/ with this value, and search on that."
        )
        raise ConfigError(
            f"trial {adoption.job.number} of sweep {adoption.sweep} has {key}={value}, which is not what the pipeline "
            f"prepares {name} with. {instead}"
        )


def provenance(adoption: Adoption, scored: str | None) -> str:
    """The comment at the top of the experiment's file: where its values come from, and how far to trust the score."""
    job = adoption.job
    scores = ", ".join(f"{goal} {value:.6g}" for goal, value in zip(job.goals, job.scores, strict=True))
    command = " ".join(adoption.found.command.splitlines()) or "unknown"
    test = f"Test {scored}." if scored else f"`dvc repro evaluate@{adoption.name}` tells its test score."
    return (
        "# @package _global_\n"
        f"# Trial {job.number} of sweep {adoption.sweep}, adopted on {time.strftime('%Y-%m-%d')}.\n"
        f"#   {command}\n"
        f"# Validation {scores}: {adoption.chosen}.\n"
        f"# {test}\n"
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
