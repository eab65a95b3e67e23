"""Files of which each is a row: images, recordings or texts, labelled by their folder, their name or a table. Of
texts, each line of a file may be a row, too."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations
from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow as pa

from pipeline.config.data import FOLD
from pipeline.data.archives import find_place
from pipeline.data.heard import tell_left_out
from pipeline.data.origins import OF_FILE, OF_ROW, printable
from pipeline.data.schema import Column
from pipeline.data.sources.files.bad_files import BadFiles
from pipeline.data.sources.files.classes import check_classes, check_kept, check_no_splits
from pipeline.data.sources.files.config import FOLDER, REFUSE, SKIP, FilesDataset, columns_of, content_of
from pipeline.data.sources.files.contents import read_contents, read_lines, with_ending
from pipeline.data.sources.files.folder import Found, find
from pipeline.data.sources.files.labels import LABELS, Labelled
from pipeline.data.sources.source import FOLD_OF_FILES, PATHS, Columns, Source
from pipeline.data.types.category import CategoryColumn
from pipeline.errors import DataError
from pipeline.layout import TEST
from pipeline.tasks import TASKS


def columns(config: FilesDataset, root: Path) -> Columns:
    """The columns of the configuration, and one that says in which split a file is, if its place says so."""
    found = columns_of(config)
    if not config.has_test_files:
        return found
    return replace(found, roles=found.roles | {FOLD: Column(FOLD_OF_FILES, CategoryColumn("category"))})


def files(config: FilesDataset, root: Path) -> list[Path]:
    """The files of all folders, and the manifest; of an archive, the archive. Raises DataError as `folders` does, and
    for no manifest."""
    found = folders(config, root).values()
    own: list[Path] = []
    if config.manifest is not None:
        manifest = find_place(config.manifest, root)
        if not manifest.path.is_file():
            raise DataError(f"{config.manifest}: not found.")
        own = [manifest.archive or manifest.path]
    in_folders = (place.path / name for place in found if place.archive is None for name in place.names)
    archives = [place.archive for place in found if place.archive is not None]
    return [*own, *(file for file in dict.fromkeys([*archives, *in_folders]) if file not in own)]


def folders(config: FilesDataset, root: Path) -> dict[str, Found]:
    """The folder that each key of PATHS names, for those that are set. Raises DataError for one without files, and for
    folders that share files, which would be in two splits."""
    found = {key: find(path, root) for key, path in config.paths.items()}
    for inner, outer in permutations(found, 2):
        if found[inner].path.resolve().is_relative_to(found[outer].path.resolve()):
            raise DataError(
                f"{found[inner].shown}: {inner} is in {outer} ({found[outer].shown}), so its files would be read "
                "twice. Name folders of which none is in another."
            )
    return found


def batches(config: FilesDataset, root: Path) -> Iterator[pa.RecordBatch]:
    """The files, or their lines, in the order of their paths, some at a time. Prints how many were left out, if any.

    Raises DataError for files that are not what the configuration says. All bad files are counted before it is raised;
    no batch is given after the first of them.
    """
    bad, content = BadFiles(config.lines, config.on_bad_row == REFUSE), content_of(config)
    found_folders = folders(config, root)
    for key, found in found_folders.items():
        if len(found_folders) > 1:
            bad.folder = PurePosixPath(found.shown)
        labelled = labelled_files(config, key, found, root, bad)
        if config.lines:
            parts = read_lines(content, config.encoding, found.path, labelled.names, bad)
        else:
            parts = read_contents(content, found.path, labelled.names, bad)
        used = np.zeros(len(labelled.names), bool)
        for places, values in parts:
            used[places] = True
            if places and (not bad.num_bad or config.on_bad_row == SKIP):
                known = {name: column.take(pa.array(places)) for name, column in labelled.columns.items()}
                if config.contract is not None:
                    names = [printable(f"{found.shown}/{labelled.names[place]}") for place in places]
                    known |= {OF_FILE: pa.array(names), OF_ROW: pa.array([""] * len(places))}
                yield pa.RecordBatch.from_pydict({content.name: values} | known)
        if config.on_bad_row == SKIP and TASKS[config.task].has_classes:
            check_kept(config, found.shown, labelled.columns[config.target], used)
    if bad.num_bad and config.on_bad_row == REFUSE:
        raise bad.error(" and ".join(config.paths.values()), f"Set on_bad_row: skip to leave such {bad.plural} out.")
    if bad.num_bad:
        tell_left_out(config.name, bad.summary())


def labelled_files(config: FilesDataset, key: str, found: Found, root: Path, bad: BadFiles) -> Labelled:
    """The files in the folder that this key of PATHS names, with what is known of them."""
    own = None if config.manifest is None else find_place(config.manifest, root).path
    names = with_ending(content_of(config), [name for name in found.names if found.path / name != own], bad)
    if config.labels == FOLDER:
        if not config.classes:
            check_no_splits(found)
        check_classes(found, names, least=2 if key == "path" and not config.lines else 1)
    labelled = LABELS[config.labels](config, columns_of(config), names, root, bad)
    if not config.has_test_files:
        return labelled
    of_test = [config.test_pattern and re.fullmatch(config.test_pattern, name) for name in labelled.names]
    splits = [TEST if chosen else PATHS[key] for chosen in of_test]
    return replace(labelled, columns=labelled.columns | {FOLD_OF_FILES: pa.array(splits, pa.string())})


SOURCE = Source(FilesDataset, lambda config: [content_of(config).config.type], columns, batches, files)
