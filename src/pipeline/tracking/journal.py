"""The journal of a run: append-only, one JSON object a line. The disk is the truth, MLflow a projection of it.

A line is never written twice: a rerun or resumed run of the same identity adds only what is not there yet.
"""

import json
import time
from pathlib import Path
from typing import Any

SECONDS_BETWEEN_FLUSHES = 1.0
FINISHED, FAILED, KILLED = "FINISHED", "FAILED", "KILLED"

Record = dict[str, Any]


class Reader:
    """Reads a journal as it grows, each line once."""

    def __init__(self, path: Path) -> None:
        self._path, self._offset = path, 0

    def more(self) -> list[Record]:
        """The records added since; a last line that is still being written, or was cut off, is left out."""
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
    """The record with which a journal starts, without the rest of it; None where there is none."""
    try:
        with path.open("rb") as stream:
            record: Record = json.loads(stream.readline())
    except (OSError, ValueError):
        return None
    return record if record.get("type") == "start" else None


def read(path: Path) -> list[Record]:
    """The journal's records, none where there is no journal."""
    return Reader(path).more()


def status(records: list[Record]) -> str | None:
    """How the run ended, or None while it has not."""
    if records and records[-1]["type"] == "end":
        return str(records[-1]["status"])
    return None


class Journal:
    """Writes a run's journal, metrics to disk about once a second. Once the run has finished, nothing is added."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        records = read(path)
        self.finished = status(records) == FINISHED
        self.known = {r["epoch"]: r["values"] for r in records if r["type"] == "metrics"}
        self.differing: list[int] = []
        self._drop_cut_line(path)
        self._stream = path.open("a", encoding="utf-8")
        self._flushed_at = 0.0

    def start(self, identity: str, experiment: str, params: dict[str, Any], tags: dict[str, str]) -> None:
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
        """Hand all that was added to the operating system, which keeps it whatever becomes of this process."""
        self._stream.flush()
        self._flushed_at = time.monotonic()

    def _add(self, record: Record, flush: bool = True) -> None:
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
