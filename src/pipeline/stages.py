"""What each stage of dvc.yaml is run again for: the code that it runs, and its keys of an experiment's configuration.

`configure` writes a file for each stage and experiment that holds both, and the stage depends on that file. So an edit
of code or configuration reruns exactly the stages that use it, and `dvc exp show` has a column for each file, not for
each key. A run by hand finds its data and its name by the same digests.
"""

from pathlib import Path

from pipeline.files import digest_file, digest_tree
from pipeline.layout import Layout

# in src/pipeline/; what cannot change an output (tracking, in `train`) is left out
CODE = {
    "prepare": ("prepare.py", "data", "errors.py", "files.py"),
    "train": (
        "train.py",
        "data",
        "errors.py",
        "files.py",
        "identity.py",
        "model",
        "serving",
        "tensorflow_process.py",
        "training",
    ),
    "evaluate": ("evaluate.py", "data", "errors.py", "evaluation", "files.py"),
    "register": ("register.py", "registry", "tracking"),
}
KEYS = {"train": ("seed", "dataset", "model", "preprocessing", "trainer"), "evaluate": ("evaluation",)}


def code_digest(layout: Layout, stage: str) -> str:
    """sha256 over the sources that a stage runs."""
    package = layout.root / "src" / "pipeline"
    return digest_tree([package / name for name in CODE[stage]], layout.root)


def lock_digest(layout: Layout) -> str:
    """sha256 of requirements.lock, which says which packages a stage runs with."""
    return digest_file(layout.root / "requirements.lock")


def used_by(layout: Layout, stage: str, values: dict[str, object]) -> dict[str, object]:
    """What a stage's file holds: its values, and digests of its code and packages."""
    return {**values, "code": code_digest(layout, stage), "packages": lock_digest(layout)}


def resolved_file(layout: Layout, stage: str, name: str = "all") -> Path:
    """The file that a stage depends on, for one dataset or experiment, or for all."""
    return layout.resolved / stage / f"{name}.yaml"
