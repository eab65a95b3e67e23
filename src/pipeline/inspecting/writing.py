"""Puts a proposal into conf/ and params.yaml, all of it or nothing."""

from contextlib import ExitStack
from pathlib import Path

from pipeline.errors import ConfigError
from pipeline.files import replacing
from pipeline.inspecting.params_text import with_dataset
from pipeline.layout import Layout


def dataset_file(layout: Layout, name: str) -> Path:
    return layout.conf / "dataset" / f"{name}.yaml"


def experiment_file(layout: Layout, name: str) -> Path:
    return layout.conf / "experiment" / f"{name}.yaml"


def check_free(layout: Layout, path: Path) -> None:
    """Raise ConfigError where a file is there."""
    if path.exists():
        raise ConfigError(
            f"{path.relative_to(layout.root)}: is there already. Remove it, or choose another name with write=."
        )


def write_proposal(
    layout: Layout, dataset: str, dataset_text: str, experiment: str, experiment_text: str
) -> list[Path]:
    """Write a dataset and an experiment into conf/, and add both to params.yaml. Return the three files."""
    files = {dataset_file(layout, dataset): dataset_text, experiment_file(layout, experiment): experiment_text}
    for path in files:
        check_free(layout, path)
    params = with_dataset(layout.params.read_text(encoding="utf-8"), dataset, experiment)
    done: list[Path] = []
    try:
        # The last one to be entered takes its place first, and params.yaml takes its place last.
        with ExitStack() as stack:
            for path, text in reversed([*files.items(), (layout.params, params)]):
                temporary = stack.enter_context(replacing(path))
                temporary.write_text(text, encoding="utf-8")
                done += [path] if path in files else []
    except BaseException:
        for path in done:
            path.unlink(missing_ok=True)
        raise
    return [*files, layout.params]
