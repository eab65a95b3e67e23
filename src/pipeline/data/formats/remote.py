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
from pipeline.files import digest_value

# What file systems of fsspec call checksums of a file, and the time of its last change.
CHECKSUMS = ("etag", "contentmd5", "md5", "digest", "md5hash", "contenthash", "crc32c", "sha256")
CHANGES = ("lastmodified", "mtime", "modified", "updated", "created")


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
            return pa.PythonFile(_Reaching(self.name, self.system.open(self.place, "rb")), mode="r")

    def size(self) -> int:
        with _reaching(self.name):
            return int(self.system.info(self.place)["size"])

    def fingerprint(self) -> str:
        """A text that changes when the file does, from what its server says of it: a checksum where it has one, or else
        the size and the time of the last change. The file is not read.

        Not all that the server says counts: the address to which it has led us may be another each time.
        """
        with _reaching(self.name):
            info = self.system.info(self.place)
        known = {key.lower().replace("-", ""): str(value) for key, value in info.items() if value is not None}
        chosen = {key: known[key] for key in CHECKSUMS if key in known} or {
            key: known[key] for key in CHANGES if key in known
        }
        return digest_value(chosen | {"size": known.get("size", "")})


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


class _Reaching:
    """A file behind a URL, of which a read may fail as its opening may."""

    def __init__(self, url: str, stream: Any) -> None:
        self._url, self._stream = url, stream

    def read(self, size: int = -1) -> bytes:
        with _reaching(self._url):
            found: bytes = self._stream.read(size)
            return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


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
