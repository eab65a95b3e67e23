"""Files to predict, of which each is a row: images, recordings or texts."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.config import PredictConfig
from pipeline.data.formats.finding import AUTO, find_files
from pipeline.data.formats.remote import is_url
from pipeline.data.schema import Column, Schema
from pipeline.data.sources.files.bad_files import BadFiles
from pipeline.data.sources.files.contents import read_contents, with_ending
from pipeline.data.sources.files.folder import find

FILE = "file"  # the column of the answers that says which file a row is


def takes_files(schema: Schema, config: PredictConfig) -> bool:
    """Whether the input of a prediction is a folder or files, of which the model takes each as a row."""
    column, given = schema.features[0], config.input
    if len(schema.features) > 1 or column.type.files is None or is_url(given) or config.format != AUTO:
        return False
    return Path(given).is_dir() or given.lower().endswith(column.type.files.endings)


def read_content_files(schema: Schema, given: str) -> Iterator[tuple[list[str], pa.Table]]:
    """The files in a folder, by their paths in it, or those that a path or glob names, some at a time, sorted.

    Raises DataError where there are none, and for files that the model does not take, of which all are counted before.
    """
    (column,), bad = schema.features, BadFiles()
    folder, names = _named(column, given, bad)
    for places, values in read_contents(column, folder, names, bad):
        if not column.nullable:
            # The model has never seen a missing value here, so it has not learned what to take for it.
            for i in np.flatnonzero(values.is_null().to_numpy(zero_copy_only=False)):
                bad.note(names[places[i]], "stands for a missing value, of which training had none")
        yield [names[place] for place in places], pa.table({column.name: values})
    if bad.num_bad:
        raise bad.error(given)


def _named(column: Column, given: str, bad: BadFiles) -> tuple[Path, list[str]]:
    if Path(given).is_dir():
        found = find(given, Path())
        return found.path, with_ending(column, found.names, bad)
    return Path(), [file.name for file in find_files([given], Path())]
