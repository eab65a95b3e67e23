"""Files to predict, or to compare, of which each is a row: images, recordings or texts."""

from collections.abc import Iterator
from glob import has_magic
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.config import DriftConfig, PredictConfig
from pipeline.config.experiment import SKIP
from pipeline.data.formats.finding import AUTO, find_files
from pipeline.data.formats.remote import is_url
from pipeline.data.profile.new_rows import NewRows, counted
from pipeline.data.schema import Column, Schema
from pipeline.data.sources.files.bad_files import BadFiles
from pipeline.data.sources.files.contents import read_contents, with_ending
from pipeline.data.sources.files.folder import find
from pipeline.errors import DataError

FILE = "file"  # the column of the answers that says which file a row is
SKIP_ADVICE = "Set on_bad_row=skip to leave such files out."


def takes_files(schema: Schema, config: PredictConfig | DriftConfig) -> bool:
    """Whether the input is a folder, a glob or a file, of which the model takes each file as a row."""
    column, given = schema.features[0], config.input
    if len(schema.features) > 1 or column.type.files is None or is_url(given) or config.format != AUTO:
        return False
    several = Path(given).is_dir() or (has_magic(given) and not Path(given).is_file())
    return several or given.lower().endswith(column.type.files.endings)


def read_content_files(schema: Schema, config: PredictConfig) -> Iterator[tuple[list[str], pa.Table]]:
    """The files in a folder, by their paths in it, or those that a path or glob names, some at a time, sorted.

    Raises DataError where there are none, and after the last for files that the model does not take, with their number.
    With `on_bad_row=skip`, these are left out, and their number is printed.
    """
    (column,), bad, num_good = schema.features, BadFiles(), 0
    folder, names = _named(column, config.input, bad)
    for places, values in read_contents(column, folder, names, bad):
        good = np.ones(len(places), bool)
        if not column.nullable:
            # The model has never seen a missing value here, so it has not learned what to take for it.
            good = values.is_valid().to_numpy(zero_copy_only=False)
            for i in np.flatnonzero(~good):
                bad.note(names[places[i]], "stands for a missing value, of which training had none")
        if good.any() and (not bad.num_bad or config.on_bad_row == SKIP):
            num_good += int(good.sum())
            chosen = np.flatnonzero(good)
            yield [names[places[i]] for i in chosen], pa.table({column.name: values.take(pa.array(chosen))})
    refuse_or_tell(bad, config)
    if not num_good:
        raise DataError(f"{config.input}: no files that can be used, expected one or more.")


def read_any_files(schema: Schema, config: DriftConfig) -> NewRows:
    """The contents of all files in a folder, or of those that a path or glob names. What is none of the column's type
    is counted, and the first such files are printed. Raises DataError for files of other kinds, by their names, unless
    they are to be left out."""
    (column,), others, bad = schema.features, BadFiles(), BadFiles()
    folder, names = _named(column, config.input, others)
    refuse_or_tell(others, config)
    parts = [values for _, values in read_contents(column, folder, names, bad)]
    if bad.num_bad:
        print(f"{config.input}: {bad.words()}")
    contents = pa.chunked_array([*parts, pa.nulls(bad.num_bad, column.storage)], column.storage)
    return counted(pa.table({column.name: contents}), {column.name: bad.num_bad})


def refuse_or_tell(bad: BadFiles, config: PredictConfig | DriftConfig) -> None:
    """Raise DataError for bad files, or print how many are left out."""
    if bad.num_bad and config.on_bad_row != SKIP:
        raise bad.error(config.input, SKIP_ADVICE)
    if bad.num_bad:
        print(f"{config.input}: {bad.summary()}")


def _named(column: Column, given: str, bad: BadFiles) -> tuple[Path, list[str]]:
    """The folder in which the files are, and their names, of those that end as files of the column's type do."""
    if Path(given).is_dir():
        found = find(given, Path())
        return found.path, with_ending(column, found.names, bad)
    return Path(), with_ending(column, [file.name for file in find_files([given], Path())], bad)
