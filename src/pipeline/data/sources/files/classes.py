"""The classes that folders and files tell of: what is refused as none, and which of them are lost."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.data.reading import MOST_PLACES
from pipeline.data.sources.files.config import FOLDER, FilesDataset
from pipeline.data.sources.files.folder import Found
from pipeline.errors import DataError

NAMES_OF_SPLITS = ("train", "training", "test", "testing", "val", "valid", "validation", "dev", "eval")


def check_no_splits(found: Found) -> None:
    """Raise DataError for folders that are all named as splits are, or else a model would learn to tell the files for
    training from those for testing."""
    if found.folders and all(folder.lower() in NAMES_OF_SPLITS for folder in found.folders):
        train = next((name for name in found.folders if name.lower().startswith("train")), found.folders[0])
        raise DataError(
            f"{found.shown}: its folders are {', '.join(found.folders)}, which looks like an official split and not "
            f"like classes. Set path: {found.shown}/{train}, and with split: given test_path and validation_path to "
            "the folders for testing and validation; or name the classes in classes if these are it."
        )


def check_classes(found: Found, names: list[str], least: int) -> None:
    """Raise DataError for a class folder that has too few files."""
    counts = Counter(name.split("/")[0] for name in names)
    for folder in found.folders:
        if counts[folder] < least:
            files = "1 file" if counts[folder] == 1 else f"{counts[folder]} files"
            raise DataError(
                f"{found.shown}/{folder}: {files} of the class {folder!r}, expected {least} or more. Add files, or "
                "remove the folder."
            )


def check_kept(config: FilesDataset, folder: str, labels: pa.StringArray, used: NDArray[np.bool_]) -> None:
    """Raise DataError for a class of which no file can be used, where each is a folder; print which they are where
    they are not. `labels` (N,) are those of the files in `folder`, of which `used` (N,) says which are left."""
    lost = sorted(set(pc.unique(labels).to_pylist()) - set(pc.unique(labels.filter(pa.array(used))).to_pylist()))
    if lost and config.labels == FOLDER:
        raise DataError(
            f"{folder}: class {lost[0]!r}: none of its files can be used, expected one or more. Get them anew, or "
            "remove the folder."
        )
    if lost:
        more = ", ..." if len(lost) > MOST_PLACES else ""
        print(f"{config.name}: classes of which no file in {folder} can be used: {', '.join(lost[:MOST_PLACES])}{more}")
