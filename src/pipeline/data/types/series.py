"""Windows of series: so many steps, at each of which some channels were measured."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.config import ColumnConfig
from pipeline.config.checks import check
from pipeline.data.digests import combined, mixed
from pipeline.data.types.number import LARGEST
from pipeline.data.types.type import Parsed, Type

Array = NDArray[np.float64]
STORAGE = pa.float64()
STEP = "step"
TOLERANCE = 1e-6  # of the usual distance of two rows; numbers such as 0.1 + 0.2 are rounded


@dataclass
class SeriesColumn(ColumnConfig):
    """`window` is how many steps there are, and `channels` are the names of what is measured at each. `cut` holds the
    settings of a dataset that cuts windows from a table with a row for each moment. So a model knows how to cut them
    from such a table, too. Its STEP is how far apart the rows are, if all are equally far. It is empty where the files
    hold windows."""

    window: int = 0
    channels: list[str] = field(default_factory=list)
    cut: dict[str, Any] = field(default_factory=dict)

    def check(self) -> None:
        check(self.window > 0, "window", self.window, "1 or more")
        check(bool(self.channels), "channels", self.channels, "one name or more")
        check(not self.cut, "cut", self.cut, "nothing, as the files hold windows")

    @property
    def shape(self) -> list[int]:
        """[window, channels]"""
        return [self.window, len(self.channels)]

    @property
    def overlap(self) -> int:
        """How many windows share rows with one another, if they are cut from a table."""
        return -(-self.window // int(self.cut["stride"])) if self.cut else 1


class Series(Type):
    """A window is stored as a list of W * C numbers, step by step."""

    config = SeriesColumn
    is_content = True
    expected = "a window of finite numbers, as long and with as many channels as those of the training"

    def storage(self, config: SeriesColumn) -> pa.DataType:
        return pa.list_(STORAGE, int(np.prod(config.shape)))

    def parse(self, text: pa.StringArray, config: SeriesColumn) -> Parsed:
        return Parsed(pa.nulls(len(text), self.storage(config)), text.is_valid().to_numpy(zero_copy_only=False))

    def convert(self, values: pa.Array, config: SeriesColumn) -> Parsed | None:
        """Each window may be a list of W * C numbers, or a list of W lists of C numbers."""
        if not _is_list(values.type):
            return None
        window, channels = config.shape
        nested = _is_list(values.type.value_type)
        there = values.is_valid().to_numpy(zero_copy_only=False)
        good = _of_length(values, window if nested else window * channels)
        flat = values.filter(pa.array(good)).flatten()
        if nested:
            whole = _of_length(flat, channels).reshape(-1, window).all(axis=1)
            flat = flat.filter(pa.array(np.repeat(whole, window))).flatten()
            good[good] = whole
        try:
            numbers = flat.cast(STORAGE).fill_null(np.nan).to_numpy(zero_copy_only=False)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # texts, or whole numbers that float64 does not hold
            return Parsed(pa.nulls(len(values), self.storage(config)), there)
        numbers_NP = numbers.reshape(int(good.sum()), window * channels)
        finite = (np.abs(numbers_NP) <= LARGEST).all(axis=1)  # NaN is not
        good[good] = finite
        return Parsed(_stored(numbers_NP[finite], good), there & ~good)

    def timed(self, config: SeriesColumn, durations: NDArray[Any]) -> SeriesColumn:
        steps = config.window + int(config.cut["horizon"]) - 1
        if not steps or config.cut["time"] is None:
            return config
        usual = float(np.median(durations))
        if (np.abs(durations - usual) > TOLERANCE * usual).any():
            return config
        return replace(config, cut=config.cut | {STEP: usual / steps})

    def digest(self, values: pa.Array) -> NDArray[np.uint64]:
        """Of equal windows equal ones; the two zeros are one number."""
        flat_NP = windows(values, [values.type.list_size])
        return combined([mixed((column + 0.0).view(np.uint64)) for column in flat_NP.T])


def windows(values: pa.Array, shape: list[int]) -> Array:
    """Stored windows (N,) as (N, *shape); 0 where one is missing."""
    nothing = pa.scalar([0.0] * values.type.list_size, values.type)
    flat: Array = values.fill_null(nothing).flatten().to_numpy(zero_copy_only=False)
    return flat.reshape(len(values), *shape)


def as_stored(windows_NWC: Array) -> pa.Array:
    """Windows (N, W, C) in the storage of the type."""
    return pa.FixedSizeListArray.from_arrays(pa.array(windows_NWC.reshape(-1)), int(np.prod(windows_NWC.shape[1:])))


def _stored(numbers_KP: Array, good_N: NDArray[np.bool_]) -> pa.Array:
    """K windows, which belong to the rows that are good; the others are null."""
    all_NP = np.zeros((len(good_N), numbers_KP.shape[1]))
    all_NP[good_N] = numbers_KP
    flat = pa.array(all_NP.reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, numbers_KP.shape[1], mask=pa.array(~good_N))


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _of_length(lists: pa.Array, length: int) -> Any:
    """Which lists (N,) are there and have this length."""
    return pc.fill_null(pc.equal(pc.list_value_length(lists), length), False).to_numpy(zero_copy_only=False).copy()
