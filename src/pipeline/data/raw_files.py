"""The files from which a dataset's rows come."""

import os
from collections.abc import Iterable

from pipeline.config import DatasetConfig
from pipeline.data.file_digests import digests_of
from pipeline.data.sources import SOURCES
from pipeline.files import digest_value
from pipeline.layout import Layout

MOST_NAMED = 1000  # files of a dataset; of more, there is one digest of all, since each stage keeps what is named


def digests_of_files(dataset: DatasetConfig, layout: Layout) -> dict[str, str]:
    """The sha256 of each file that a dataset's source reads, by its path, which is relative to the checkout where it
    can be; and the fingerprint of each file behind a URL. Of very many files there is one digest for each top folder,
    by the path of the folder in it that holds them all. Raises DataError for a file that is not there."""
    source, root = SOURCES[dataset.source], layout.root
    # There may be 100,000 of them, for which the methods of Path would take seconds.
    start = f"{root.as_posix()}/"
    digests = digests_of(source.files(dataset, root), layout)
    found = {file.as_posix().removeprefix(start): digest for file, digest in digests.items()}
    if len(found) > MOST_NAMED:
        raw = layout.raw.relative_to(root).parts
        found = {
            os.path.commonpath(names) or ".": digest_value({name: found[name] for name in names})
            for names in _by_top_folder(found, raw)
        }
    return found | source.remote(dataset, root)


def _by_top_folder(names: Iterable[str], raw: tuple[str, ...]) -> list[list[str]]:
    """The paths of files, those together that are in one top folder: one in the folder `raw`, else one of the checkout,
    or of the machine where a path is absolute. So what DVC watches is apart from what it does not."""
    found: dict[tuple[str, ...], list[str]] = {}
    for name in names:
        parents = tuple(name.split("/")[:-1])
        depth = len(raw) + 1 if parents[: len(raw)] == raw else 1 + name.startswith("/")
        found.setdefault(parents[:depth], []).append(name)
    return [*found.values()]
