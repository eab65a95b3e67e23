"""From the arguments of the command `inspect` to what it prints and writes."""

import io
from contextlib import redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.config import InspectConfig, PrepareConfig, SplitConfig
from pipeline.data.sources.table import SOURCE, TableDataset
from pipeline.data.writing import write_prepared
from pipeline.errors import DataError
from pipeline.inspecting import report, writing, yaml_text
from pipeline.inspecting.files import Files, look
from pipeline.inspecting.proposal import Proposal, propose
from pipeline.inspecting.target import check_classes
from pipeline.layout import Layout
from pipeline.tasks import TASKS


def look_and_propose(config: InspectConfig, split: SplitConfig, layout: Layout) -> None:
    """Print what was found and what follows from it, and write the latter if it is asked for."""
    if config.write is not None:
        writing.check_free(layout, writing.dataset_file(layout, config.write))
    path = report.relative(config.path, layout.root)
    files = look(path, layout.root, config.target)
    proposal = propose(files, config.target, config.task)
    text = yaml_text.dataset_text(proposal, files, path, command_of(config, path))
    print(report.about_files(files, layout))
    print(f"\n{report.about_columns(proposal)}\n")
    if not proposal.features:
        reasons = ", ".join(f"'{found.name}': {found.why}" for found in proposal.left_out) or "there is no other column"
        raise DataError(f"{files.files[0].name}: no column is left to learn from ({reasons}).")
    print(text, end="")
    if TASKS[proposal.task].has_classes:
        check_classes(proposal.target, files.columns[config.target])
    dataset = yaml_text.dataset_of(text, config.write or "proposed")
    check_rows(dataset, files, layout)
    if config.write is not None:
        check_prepare(dataset, files, split, layout)
        write(config.write, text, proposal, layout)


def command_of(config: InspectConfig, path: str) -> str:
    task = f" task={config.task}" if config.task else ""
    return f"python -m pipeline.inspect path={path} target={config.target}{task}"


def check_rows(dataset: TableDataset, files: Files, layout: Layout) -> None:
    """Read the rows as proposed: all of them if they are few, else the first ones. Raises DataError."""
    with redirect_stdout(io.StringIO()):
        for batch in SOURCE.batches(dataset, layout.root):
            if not files.whole and batch.num_rows:
                break


def check_prepare(dataset: TableDataset, files: Files, split: SplitConfig, layout: Layout) -> None:
    """Do what `prepare` will do, if the rows are few. Raises DataError."""
    if files.whole:
        with redirect_stdout(io.StringIO()), TemporaryDirectory() as folder:
            write_prepared(PrepareConfig(split, dataset), Path(folder), layout.root)


def write(name: str, text: str, proposal: Proposal, layout: Layout) -> None:
    model = yaml_text.first_model(proposal.task)
    experiment = f"{model.family}_{name}"
    wanted = yaml_text.experiment_text(model, name, experiment, proposal.target.name)
    paths = writing.write_proposal(layout, name, text, experiment, wanted)
    one, other, params = (path.relative_to(layout.root) for path in paths)
    print(f"\nwritten: {one}, {other}, and a line for each in {params}. Next: make repro EXPERIMENT={experiment}")
