"""A mirror: a folder or an address that has the files which datasets download, under their paths in data/raw/.

Where a machine finds files changes nothing in them, as their sha256 is known. So a mirror is no part of a dataset's
configuration, from which runs and stages take their identity. It is said by the environment, or in a file that belongs
to one checkout, which git and DVC leave alone.
"""

import os
import shutil
from pathlib import Path

import yaml

from pipeline.errors import ConfigError
from pipeline.layout import LOCAL, Layout

MIRROR = "PIPELINE_DATA_MIRROR"


def mirror_of(layout: Layout) -> str:
    """The mirror of this machine, or an empty text. The environment goes before the file. A folder that the file names
    is relative to the checkout. Raises ConfigError for a file that says something else."""
    if MIRROR in os.environ:
        return os.environ[MIRROR]
    if not layout.local.is_file():
        return ""
    expected = "expected mirror: and a folder or an address"
    try:
        found = yaml.safe_load(layout.local.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{LOCAL}: cannot be read ({error}), {expected}.") from error
    mirror = found.get("mirror", "") if isinstance(found, dict) else None
    if not isinstance(mirror, str) or set(found) - {"mirror"}:
        raise ConfigError(f"{LOCAL}: found {found!r}, {expected}.")
    return mirror if "://" in mirror or not mirror else str(layout.local.parent / Path(mirror).expanduser())


def copy_file(place: Path, target: Path) -> str | None:
    """Copy a file of a mirror. Returns None, or what went wrong."""
    try:
        stream = place.open("rb")
    except OSError as error:
        return error.strerror or str(error)
    with stream, target.open("wb") as out:
        shutil.copyfileobj(stream, out)
    return None
