"""One file comes from an address, or out of a zip archive there."""

import lzma
import sys
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

RETRIES, TIMEOUT = 3, 30  # seconds without a byte
BLOCK = 2**14  # what is less than a block is lost when a download breaks off
LARGEST_RATIO = 1000  # of a file in an archive to the archive; no data compress as well
FILE, ARCHIVE = "file", "archive"


def download(url: str, member: str, work: Path, kept: Path, quiet: bool) -> str | None:
    """Download a file, or a member of the zip archive there. Returns None, or what went wrong."""
    import pooch
    import requests

    name = ARCHIVE if member else FILE
    for left in work.iterdir():  # of a process that was killed, and of another address
        if not left.name.startswith("part-"):
            left.unlink()
    store = pooch.create(work, "", registry={name: None}, urls={name: url}, retry_if_failed=RETRIES)
    pooch.get_logger().setLevel("WARNING")  # it names files of ours that nobody knows
    try:
        store.fetch(name, downloader=_Resuming(kept, quiet))
    except (requests.RequestException, ValueError) as error:
        return _reason(error)
    return _unpack(work / ARCHIVE, member, work / FILE) if member else None


def _unpack(archive: Path, member: str, target: Path) -> str | None:
    """Take one member out of a zip archive. Returns None, or what went wrong."""
    try:
        with zipfile.ZipFile(archive) as opened, opened.open(member) as stream:
            _copy(stream, target, LARGEST_RATIO * archive.stat().st_size)
    except (KeyError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error, lzma.LZMAError) as error:
        return f"no zip archive with {member} ({error})"
    return None


class _Resuming:
    """Downloads a file into `kept`, from where an earlier download has stopped, and shows the progress to a person,
    unless it is `quiet`."""

    def __init__(self, kept: Path, quiet: bool) -> None:
        self._kept, self._quiet = kept, quiet

    def __call__(self, url: str, output_file: str, pooch: Any) -> None:
        import requests
        from tqdm import tqdm

        done = self._kept.stat().st_size if self._kept.is_file() else 0
        # A server that compresses counts other bytes than those that are kept here.
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={done}-"} if done else {})
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
            # 416: there is nothing behind what we have
            if response.status_code != 416:
                response.raise_for_status()
                goes_on = response.status_code == 206
                total = int(response.headers.get("Content-Length", 0)) + done * goes_on
                hidden = self._quiet or not sys.stderr.isatty()
                bar = tqdm(total=total or None, initial=done * goes_on, unit="B", unit_scale=True, disable=hidden)
                with self._kept.open("ab" if goes_on else "wb") as stream, bar:
                    for block in response.iter_content(BLOCK):
                        stream.write(block)
                        bar.update(len(block))
        self._kept.replace(output_file)


def _copy(stream: IO[bytes], target: Path, most: int) -> None:
    """Write a member of an archive to a file. Raises BadZipFile where it is longer than any data would be."""
    written = 0
    with target.open("wb") as out:
        while block := stream.read(2**20):
            written += len(block)
            if written > most:
                raise zipfile.BadZipFile(f"it unpacks to more than {most} bytes")
            out.write(block)


def _reason(error: Exception) -> str:
    """An error of requests in a few words; it often holds another, which says the reason."""
    reason = getattr(error.args[0], "reason", error) if error.args else error
    return " ".join(str(reason).split())[:200] or type(error).__name__
