"""Files written whole or not at all, and their digests."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# .dvcignore names this ending, so that a file left behind by a kill is no part of a folder that a stage depends on.
PARTIAL = ".partial"


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Yield the path of a temporary file beside `target`. The file takes `target`'s place where the body succeeds, and
    is removed where it fails."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=PARTIAL)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replacing_folder(target: Path, *, lasting: bool = True) -> Iterator[Path]:
    """Yield a temporary folder beside `target`. The folder takes `target`'s place where the body succeeds, and is
    removed where it fails. Its files are brought to the disk before: one by one, or, unless it is `lasting`, all files
    of the machine at once, since a hundred thousand of them would take minutes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.", suffix=PARTIAL) as name:
        fresh, old = Path(name) / "new", Path(name) / "old"
        fresh.mkdir()
        yield fresh
        for path in fresh.rglob("*") if lasting else ():
            if path.is_file():
                with path.open("rb") as stream:
                    os.fsync(stream.fileno())
        if not lasting:
            os.sync()
        if target.exists():
            target.rename(old)
        fresh.rename(target)
        shutil.rmtree(old, ignore_errors=True)


def remove_folder(folder: Path) -> None:
    """Remove a folder, of which nobody ever finds a part."""
    with tempfile.TemporaryDirectory(
        dir=folder.parent, prefix=f".{folder.name}.", suffix=PARTIAL, ignore_cleanup_errors=True
    ) as name:
        folder.rename(Path(name) / "old")


def write_text(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: object) -> None:
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def digest_file(path: Path) -> str:
    """sha256 of a file's bytes, as 64 hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digest_value(value: object) -> str:
    """sha256 of a value that JSON can hold. Equal values have equal digests, whatever the order of their keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
