"""What each stage of dvc.yaml is run again for: the code that it runs, and its keys of an experiment's configuration.

`configure` writes a file for each stage and experiment that holds both, and the stage depends on that file. So an edit
of code or configuration reruns exactly the stages that use it, and `dvc exp show` has a column for each file, not for
each key. A run by hand finds its data and its name by the same digests.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.files import digest_file
from pipeline.layout import Layout
from pipeline.reach import reach

KEYS: dict[str, tuple[str, ...]] = {
    "prepare": ("split", "dataset"),
    "train": ("seed", "dataset", "model", "preprocessing", "trainer"),
    "evaluate": ("evaluation",),
    "register": (),
}

# Each registry of which an experiment uses some entries alone, by a name that no other dict of the package has, and the
# value that chooses: a key, or a mapping or list of keys.
REGISTRIES = {
    "CALLBACKS": "trainer.callbacks",
    "FAMILIES": "model.family",
    "PREPROCESSING": "dataset.modality",
    "SOURCES": "dataset.source",
    "TASKS": "dataset.task",
    "TRAINERS": "trainer.name",
}

# What a command runs and what does not change its outputs, as modules or packages of src/pipeline/.
FRAME = (
    # they start a command, end it, and keep two of it apart
    *("cli", "processes", "locks"),
    # what they resolve stands in the stage's file; what a value means is said where it is used
    *("compose", "config", "matching"),
    # a stage that ends with an error has no outputs
    "errors",
    # the names of files: a stage that looks for a file under a new name says which one it misses
    "layout",
    # what they find stands in the stage's file
    *("reach", "stages"),
)
# the test metrics, which a task names, are evaluate's to compute
METRICS = "tasks.scores"
LEFT_OUT = {
    "prepare": (*FRAME, METRICS),
    # a run by hand prepares its data itself, and data count by what they hold; what follows a run changes nothing of it
    "train": (*FRAME, METRICS, "data.folders", "tracking"),
    "evaluate": FRAME,
    # it reads what trainings have left, and trains nothing
    "register": (*FRAME, "training"),
}


def used_by(layout: Layout, stage: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """What a stage's file holds of a dataset's or an experiment's configuration: the values that the stage uses, a
    digest of each source that it runs, and one of the packages."""
    used = {key: values[key] for key in KEYS[stage]}
    return {**used, "code": code_of(layout, stage, values), "packages": lock_digest(layout)}


def code_of(layout: Layout, stage: str, values: Mapping[str, Any]) -> dict[str, str]:
    """A digest of each source in src/pipeline/ that a stage can reach with this configuration."""
    return reach(layout.root / "src" / "pipeline", stage, chosen_by(values), LEFT_OUT[stage])


def chosen_by(values: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """The keys of each registry that a configuration uses; without the registries that it does not choose from."""
    chosen = {}
    for registry, place in REGISTRIES.items():
        group, key = place.split(".")
        if group in values:
            value = values[group][key]
            chosen[registry] = frozenset([value] if isinstance(value, str) else value)
    return chosen


def lock_digest(layout: Layout) -> str:
    """sha256 of requirements.lock, which says which packages a stage runs with."""
    return digest_file(layout.root / "requirements.lock")


def resolved_file(layout: Layout, stage: str, name: str = "all") -> Path:
    """The file that a stage depends on, for one dataset or experiment, or for all."""
    return layout.resolved / stage / f"{name}.yaml"
