"""From raw values, in whatever form they come, to columns in the storage of their types.

Sources, batch prediction and serving all read values here, so that a value means the same for training and serving, or
is refused by all of them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.data.refused_file import Line, and_more, as_texts, tell_refused
from pipeline.data.schema import Column
from pipeline.data.types.type import DOUBTFUL, Parsed, shown
from pipeline.errors import DataError

MOST_PLACES = 10


@dataclass
class Refused:
    """The values of a dataset that were refused: how many there are in each column, and the first places, in words.
    With `several` files, a place names its file. All of them are told (data/refused_file.py) where they are `listed`.
    Whoever asks a model (`served`) is not told to declare what stands for a missing value, but what does.
    """

    several: bool = False
    listed: bool = True
    counts: dict[str, int] = field(default_factory=dict)
    places: dict[str, list[str]] = field(default_factory=dict)
    advice: dict[str, str] = field(default_factory=dict)
    served: bool = False

    def add(
        self,
        column: Column,
        raw: pa.Array,
        refused: NDArray[np.bool_],
        rows: NDArray[np.int64] | NDArray[np.object_],
        reasons: Mapping[int, str] = MappingProxyType({}),
        file: str = "",
    ) -> None:
        """Take note of the refused values (N,) of a column. `rows` (N,) are the rows' numbers as a person counts, in
        the `file` where that is known, and `reasons` those of `Parsed`."""
        numbers = np.flatnonzero(refused)
        if not len(numbers):
            return
        self.counts[column.name] = self.counts.get(column.name, 0) + len(numbers)
        places = self.places.setdefault(column.name, [])
        for i in numbers[: MOST_PLACES - len(places)]:
            value = value_of(raw[int(i)])
            found = reasons.get(int(i)) or _shown(column, value)
            places.append(f"row {place_of(rows[i], file if self.several else '')}: {found}")
            self.advice.setdefault(column.name, "" if value is None else self._advice(column, str(value)))
        if self.listed:
            tell_refused(_lines(column, raw, numbers, rows, reasons, file))

    def _advice(self, column: Column, found: str) -> str:
        if not self.served or found.strip() not in DOUBTFUL:
            return column.type.advice(found, column.config)
        if not column.nullable:
            return "No value is missing in the training rows, so the model takes none that is."
        texts = "".join(f", or write {text!r}," for text in (column.config.missing or [])[:1])
        return f"Give null{texts} for a missing value."

    def error(self, where: str, columns: Iterable[Column]) -> DataError:
        """One line that names all columns with refused values, and the first places in each."""
        types = {column.name: column.type for column in columns}
        parts = []
        for name, count in self.counts.items():
            values = "1 value is" if count == 1 else f"{count} values are"
            first = "; ".join(self.places[name]) + and_more(count, len(self.places[name]))
            parts.append(f"column '{name}': {values} not {types[name].expected} ({first}). {self.advice[name]}".strip())
        return DataError(f"{where}: " + " ".join(parts))


def _lines(
    column: Column,
    raw: pa.Array,
    numbers: NDArray[np.int64],
    rows: NDArray[np.int64] | NDArray[np.object_],
    reasons: Mapping[int, str],
    file: str,
) -> Iterator[Line]:
    """What is told of the refused values of a column: those with these numbers (from 0) among all."""
    for i, text in zip(numbers.tolist(), as_texts(raw.take(pa.array(numbers))), strict=True):
        why = f" ({reasons[i]})" if i in reasons else ""
        yield rows[i], file, column.name, text, f"{column.type.expected}{why}"


def place_of(row: object, file: str) -> str:
    """Where a row is, in words; `file` is empty where it goes without saying."""
    return f"{row} of {file}" if file else str(row)


def _shown(column: Column, value: object) -> str:
    if isinstance(value, str):
        return column.type.shown(value, column.config)
    return "a missing value" if value is None else shown(value)


def read_values(column: Column, raw: pa.Array, missing: Iterable[str]) -> Parsed:
    """Raw values (N,) in the storage of a column's type. Texts in `missing` stand for a missing value.

    Raises DataError for an Arrow type whose values the column's type never takes.
    """
    if isinstance(raw, pa.ChunkedArray):
        raw = raw.combine_chunks()
    if pa.types.is_dictionary(raw.type):
        raw = raw.dictionary_decode()
    if raw.type != column.storage and pa.types.is_floating(raw.type) and pc.all(pc.is_nan(raw), min_count=0).as_py():
        raw = pa.nulls(len(raw))  # a data frame's column in which all values are missing
    if pa.types.is_null(raw.type):
        raw = raw.cast(column.storage)
    markers = pa.array(list(missing), pa.string())
    if is_text(raw.type):
        text = raw.cast(pa.string())
        if len(markers):
            # Exports put blanks beside what they write for a missing value: "5, ?, 7".
            marked = pc.or_(pc.is_in(text, markers), pc.is_in(pc.utf8_trim_whitespace(text), markers))
            text = pc.if_else(marked, pa.scalar(None, pa.string()), text)
        parsed = column.type.parse(text, column.config)
    elif (found := column.type.convert(_unmarked(column, raw, markers), column.config)) is not None:
        parsed = found
    else:
        raise DataError(f"column '{column.name}' holds {raw.type}, expected {column.type.expected} in each row.")
    return replace(parsed, values=_unmarked(column, parsed.values, markers))


def _unmarked(column: Column, values: pa.Array, markers: pa.StringArray) -> pa.Array:
    """The values, null where they are what one of the texts stands for: -999 is -999.0 too."""
    if not len(markers) or column.type.is_content:
        return values
    marked = column.type.marked(values, markers, column.config)
    return pc.if_else(marked, pa.scalar(None, values.type), values) if pc.any(marked).as_py() else values


def is_text(kind: pa.DataType) -> bool:
    """Whether values of an Arrow type are texts, whichever way they are stored."""
    values = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(values) or pa.types.is_large_string(values) or pa.types.is_string_view(values))


def value_of(scalar: pa.Scalar) -> object:
    """A raw value as Python's, or as text where Python has none, as for a day in the year 5,000,000."""
    try:
        value = scalar.as_py()
        # a data frame writes NaN for what is missing
        return None if value != value else value
    except (OverflowError, ValueError):
        return str(scalar.cast(pa.int64())) if not pa.types.is_date32(scalar.type) else str(scalar.cast(pa.int32()))
