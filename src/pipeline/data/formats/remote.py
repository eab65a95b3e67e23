"""Files behind a URL, such as s3://bucket/rows.parquet. fsspec knows the protocols, and a package for each of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa

from pipeline.data.formats.rows import TableFile
from pipeline.errors import DataError


def is_url(path: str) -> bool:
    return "://" in path


@dataclass(frozen=True)
class RemoteFile(TableFile):
    """`name` is the URL, `path` what it says of the file's place, `system` is a file system of fsspec, and `place` is
    what that calls the file."""

    system: Any
    place: str

    def source(self) -> pa.NativeFile:
        with _reaching(self.name):
            return pa.PythonFile(self.system.open(self.place, "rb"), mode="r")

    def size(self) -> int:
        with _reaching(self.name):
            return int(self.system.info(self.place)["size"])

    def fingerprint(self) -> str:
        """A text that changes when the file does, from what its server says of it: a checksum (ETag) where it has one,
        and the size and the time of the last change. The file is not read."""
        with _reaching(self.name):
            return f"{self.system.checksum(self.place):x}"


def find_remote(url: str) -> list[TableFile]:
    """The file behind a URL, or those that a URL with * or of a folder names, sorted. Raises DataError."""
    import fsspec

    with _reaching(url):
        system, place = fsspec.url_to_fs(url)
        # what another listing in this process has seen may be old
        system.invalidate_cache()
        if "*" not in place and system.isfile(place):
            parts = urlsplit(url)
            return [RemoteFile(Path(parts.netloc + parts.path), url, system, place)]
        places = sorted(system.glob(place) if "*" in place else system.find(place))
        files = [found for found in places if not Path(found).name.startswith((".", "_")) and system.isfile(found)]
        if not files:
            raise FileNotFoundError
        return [RemoteFile(Path(found), system.unstrip_protocol(found), system, found) for found in files]


@contextmanager
def _reaching(url: str) -> Iterator[None]:
    """Whatever a file system's package raises, as one line for the user. The packages have no errors in common."""
    try:
        yield
    except FileNotFoundError as error:
        # some file systems say so, too, where a server does not answer
        raise DataError(f"{url}: not found, or out of reach.") from error
    except ImportError as error:
        raise DataError(f"{url}: a package for it is not installed here ({error}).") from error
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise DataError(f"{url}: cannot be reached ({reason}).") from error
