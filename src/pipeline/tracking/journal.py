"""The journal of a run: an append-only file with one JSON object on each line. The disk is the truth, MLflow a
projection of it.

A line is never written twice: a rerun or resumed run of the same identity adds only what is not there yet.
"""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Required, TypedDict

SECONDS_BETWEEN_FLUSHES = 1.0
FINISHED, FAILED, KILLED = "FINISHED", "FAILED", "KILLED"
PRUNED = "PRUNED"  # a search has ended the run early; it can go on to its end


class Record(TypedDict, total=False):
    """One line. `type` is `start`, `tags`, `metrics` or `end`, and `time` is in milliseconds since 1970."""

    type: Required[str]
    time: Required[int]
    # of a start
    identity: str
    experiment: str
    params: dict[str, object]
    # of a start or of tags
    tags: dict[str, str]
    # of metrics
    epoch: int
    values: dict[str, float]
    # of an end
    status: str


class Reader:
    """Reads a journal as it grows, each line once."""

    def __init__(self, path: Path) -> None:
        self._path, self._offset = path, 0

    def more(self) -> list[Record]:
        """The records that were added since the last call. A last line without its end, because it is still being
        written or was cut off, is left out."""
        try:
            with self._path.open("rb") as stream:
                stream.seek(self._offset)
                content = stream.read()
        except FileNotFoundError:
            return []
        whole = content.rfind(b"\n") + 1
        self._offset += whole
        records = []
        for line in content[:whole].splitlines():
            try:
                records.append(json.loads(line))
            except ValueError:
                continue
        return records


def read_start(path: Path) -> Record | None:
    """The first record of a journal, which says what the run is; None where there is no such record. The rest of the
    file is not read."""
    try:
        with path.open("rb") as stream:
            record: Record = json.loads(stream.readline())
    except (OSError, ValueError):
        return None
    return record if record.get("type") == "start" else None


def read(path: Path) -> list[Record]:
    """All records of a journal; an empty list where there is no journal."""
    return Reader(path).more()


def status(records: list[Record]) -> str | None:
    """How the run ended, or None while it has not."""
    if records and records[-1]["type"] == "end":
        return str(records[-1]["status"])
    return None


class Journal:
    """Writes a run's journal. Metrics go to disk about once a second. Nothing is added to the journal of a run that has
    finished."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        records = read(path)
        self.finished = status(records) == FINISHED
        self.known = {r["epoch"]: r["values"] for r in records if r["type"] == "metrics"}
        self.differing: list[int] = []
        self._drop_cut_line(path)
        self._stream = path.open("a", encoding="utf-8")
        self._flushed_at = 0.0

    def start(self, identity: str, experiment: str, params: dict[str, object], tags: dict[str, str]) -> None:
        self._add({"type": "start", "identity": identity, "experiment": experiment, "params": params, "tags": tags})

    def tags(self, tags: dict[str, str]) -> None:
        self._add({"type": "tags", "tags": tags})

    def metrics(self, epoch: int, values: dict[str, float]) -> None:
        """Add an epoch's values, or note in `differing` that an earlier run of this identity had others."""
        if epoch not in self.known:
            self._add({"type": "metrics", "epoch": epoch, "values": values}, flush=False)
        elif self.known[epoch] != values:
            self.differing.append(epoch)

    def end(self, status: str) -> None:
        self._add({"type": "end", "status": status})
        self._stream.close()

    def flush(self) -> None:
        """Hand everything that was added to the operating system, which keeps it even if this process is killed."""
        self._stream.flush()
        self._flushed_at = time.monotonic()

    def _add(self, record: Mapping[str, object], flush: bool = True) -> None:
        if self.finished:
            return
        line = json.dumps({"type": record["type"], "time": time.time_ns() // 1_000_000, **record})
        self._stream.write(line + "\n")
        if flush or time.monotonic() - self._flushed_at > SECONDS_BETWEEN_FLUSHES:
            self.flush()

    @staticmethod
    def _drop_cut_line(path: Path) -> None:
        if not path.exists():
            return
        content = path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole != len(content):
            with path.open("r+b") as stream:
                stream.truncate(whole)
