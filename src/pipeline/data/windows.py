"""Rows of series in the order of time, and the windows that are cut from them."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.data.types.clock import since_1970
from pipeline.data.types.series import TOLERANCE
from pipeline.data.types.type import shown

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]
Bools = NDArray[np.bool_]

BATCH_BYTES = 2**23
MICROSECOND = datetime.timedelta(microseconds=1)


@dataclass(frozen=True)
class SeriesRows:
    """Rows (N) of one or several series, those of a series one after another and in the order of time. `code` (N,)
    numbers the series, and `names` are theirs. `time` is None where the rows came in their order. Then `torn` are the
    rows before which, since the row before of the same series, a file ended or a row was left out. `step` is how far
    apart two rows of a series usually are, 0 where there are none."""

    table: pa.Table
    code: Numbers
    names: list[str]
    time: pa.Array | None
    num_late: int
    step: float
    torn: Numbers

    @property
    def follows(self) -> Bools:
        """Whether each row but the first (N - 1,) is of the series of the row before it."""
        same: Bools = self.code[1:] == self.code[:-1]
        return same

    def distances(self) -> NDArray[Any]:
        """How much later each row but the first (N - 1,) is than the row before it."""
        return np.diff(_moments(self.time))

    def doubled(self) -> Numbers:
        """The rows that are of the instant of the row before them."""
        if self.time is None:
            return np.zeros(0, np.int64)
        return np.flatnonzero(self.follows & (self.distances() == 0)) + 1

    def after_gaps(self) -> Numbers:
        """The rows that are not one step later than the row before them."""
        if self.time is None:
            return np.zeros(0, np.int64)
        off = np.abs(self.distances() - self.step) > TOLERANCE * self.step
        return np.flatnonzero(self.follows & off) + 1

    def stretches(self, breaks: Numbers) -> list[tuple[int, int]]:
        """Where each stretch of rows that belong together begins and ends: at the ends of the series and at `breaks`,
        the first rows of others."""
        ends = np.unique([0, *(np.flatnonzero(~self.follows) + 1), *breaks, len(self.code)])
        return list(zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True))

    def span(self, distance: float) -> str:
        """A distance of two rows in words."""
        kind = None if self.time is None else self.time.type
        if kind == pa.date32():
            return f"{distance:g} days"
        return str(distance * MICROSECOND) if pa.types.is_timestamp(kind) else f"{distance:g}"

    def instant(self, row: int) -> str:
        """When a row is, in words."""
        return "" if self.time is None else shown(str(self.time[row].as_py()))


def in_order(table: pa.Table, series: str | None, time: str | None, place: tuple[str, str]) -> SeriesRows:
    """The rows of a table by series and time, which are columns of it, as are the two of `place`: the number of a row's
    file, and of the row in that. Rows of one instant stay as they are."""
    table = table.combine_chunks()
    code, names = np.zeros(table.num_rows, np.int64), [""]
    if series is not None:
        encoded = table[series].combine_chunks().dictionary_encode()
        code, names = encoded.indices.to_numpy().astype(np.int64), encoded.dictionary.to_pylist()
    order = np.argsort(code, kind="stable")
    num_late, step, times, torn = 0, 0.0, None, np.zeros(0, np.int64)
    if time is not None:
        moments = _moments(table[time].combine_chunks())
        same = np.diff(code[order]) == 0
        num_late = int((same & (np.diff(moments[order]) < 0)).sum())
        order = np.lexsort((moments, code))
        distances = np.sort(np.diff(moments[order])[same])
        step = float(distances[len(distances) // 2]) if len(distances) else 0.0
    else:
        # Where series take turns, nobody knows which of them a row belonged to that was left out.
        file, row = (table[name].to_numpy() for name in place)
        stretch = np.cumsum(np.diff(file, prepend=file[:1]).astype(bool) | (np.diff(row, prepend=row[:1] - 1) != 1))
        torn = np.flatnonzero((np.diff(code[order]) == 0) & (np.diff(stretch[order]) != 0)) + 1
    table = table.take(pa.array(order)).combine_chunks()
    if time is not None:
        times = table[time].combine_chunks()
    return SeriesRows(table, code[order], names, times, num_late, step, torn)


def starts_of(stretches: list[tuple[int, int]], rows: int, stride: int) -> Numbers:
    """The first rows of all windows: of each stretch the first one, and each `stride`-th after it that has `rows` rows
    from there on."""
    parts = [np.arange(start, stop - rows + 1, stride) for start, stop in stretches]
    return np.concatenate([*parts, np.zeros(0, np.int64)]).astype(np.int64)


def cut(values_NC: Array, starts: Numbers, window: int) -> Iterator[tuple[Numbers, Array]]:
    """The windows (b, W, C) that begin at these rows, some at a time, and the rows where they begin (b,)."""
    size = max(1, BATCH_BYTES // (8 * window * values_NC.shape[1]))
    for first in range(0, len(starts), size):
        some = starts[first : first + size]
        yield some, values_NC[some[:, np.newaxis] + np.arange(window)]


def _moments(times: pa.Array) -> NDArray[Any]:
    moments: NDArray[Any] = since_1970(times).to_numpy(zero_copy_only=False)
    return moments.astype(np.float64 if moments.dtype.kind == "f" else np.int64)
