"""What makes DVC run a stage again: the code that the stage runs, and its keys of an experiment's configuration.

`configure` writes a file for each stage and experiment that holds both, and the stage depends on that file. So an edit
of code or configuration reruns exactly the stages that use it, and `dvc exp show` has a column for each file, not for
each key. A run by hand finds its data and its name by the same digests.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.config.data import TYPES_OF_ROLES
from pipeline.files import digest_file
from pipeline.layout import Layout
from pipeline.reach import reach

KEYS: dict[str, tuple[str, ...]] = {
    "prepare": ("split", "dataset", "files"),
    "train": ("seed", "dataset", "model", "preprocessing", "trainer"),
    "evaluate": ("evaluation",),
    "register": (),
}

# Keys of a dataset by which `prepare` refuses rows or deals them out. The rows themselves count where they are used.
ONLY_PREPARED = ("contract", "near_duplicates")

# Each registry of which an experiment uses only some entries. The key is the registry's name, which no other dict of
# the package has. The value is the place in the configuration that chooses: it holds a key, or a mapping or list of
# keys. A key without an entry uses none: what a type has no entry for is done as the code around the registry says.
REGISTRIES = {
    "AUGMENTATIONS": "dataset.types",
    "CALLBACKS": "trainer.callbacks",
    "DESIGNS": "dataset.types",
    "DETAILS": "dataset.types",
    "FAMILIES": "model.family",
    "INPUTS": "dataset.types",
    "LOOKS": "dataset.types",
    "MEASUREMENTS": "dataset.types",
    "SOURCES": "dataset.source",
    "TASKS": "dataset.task",
    "TRAINERS": "trainer.name",
    "TYPES": "dataset.types",
}

# Modules and packages of src/pipeline/ that every command runs, and that do not change what it writes.
FRAME = (
    # They start a command, end it, and keep two processes from running it at the same time.
    *("hydra_command", "cli", "processes", "locks"),
    # what they resolve stands in the stage's file; what a value means is said where it is used
    *("compose", "config", "hydra_errors", "matching"),
    # a stage that ends with an error has no outputs
    "errors",
    # It only names files. A stage that looks for a file under a new name says which file is missing.
    "layout",
    # What they find stands in the stage's file.
    *("reach", "stages"),
)
# A task names its test metrics, but only `evaluate` computes them.
METRICS = "tasks.scores"
LEFT_OUT = {
    # data.downloads brings files, which count by their content.
    "prepare": (*FRAME, METRICS, "data.downloads"),
    # data.folders is for runs by hand, which prepare their data themselves; the data count by their content. The
    # objectives are computed once a training has written its output. The tracking follows a run and changes nothing in
    # it.
    "train": (*FRAME, METRICS, "data.folders", "objectives", "tracking"),
    "evaluate": FRAME,
    # it reads what trainings have left, and trains nothing
    "register": (*FRAME, "training"),
}


def used_by(layout: Layout, stage: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a stage's file: the values that the stage uses of a dataset's or an experiment's configuration, a
    digest of each source file that it runs, and a digest of the locked packages."""
    used = values_of(stage, values)
    return {**used, "code": code_of(layout, stage, values), "packages": lock_digest(layout)}


def values_of(stage: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that a stage uses of a dataset's or an experiment's configuration."""
    used = {key: values[key] for key in KEYS[stage]}
    if stage != "prepare" and "dataset" in used:
        used["dataset"] = {key: value for key, value in used["dataset"].items() if key not in ONLY_PREPARED}
    return used


def code_of(layout: Layout, stage: str, values: Mapping[str, Any]) -> dict[str, str]:
    """A digest of each source in src/pipeline/ that a stage can reach with this configuration."""
    return reach(layout.root / "src" / "pipeline", stage, chosen_by(values), LEFT_OUT[stage])


def chosen_by(values: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """The keys that a configuration uses of each registry; registries that it does not choose from are left out."""
    chosen = {}
    for registry, place in REGISTRIES.items():
        group, key = place.split(".")
        if group in values:
            value = values[group][key]
            chosen[registry] = frozenset([value] if isinstance(value, str) else value)
    if "TYPES" in chosen:
        chosen["TYPES"] |= TYPES_OF_ROLES
    return chosen


def lock_digest(layout: Layout) -> str:
    """sha256 of requirements.lock, which says which packages a stage runs with."""
    return digest_file(layout.root / "requirements.lock")


def resolved_file(layout: Layout, stage: str, name: str = "all") -> Path:
    """The file that a stage depends on, for one dataset or experiment, or for all."""
    return layout.resolved / stage / f"{name}.yaml"
