"""Rows that cannot be used: which they are, and what is said about them."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.data.formats.rows import Rows, TableFile
from pipeline.data.origins import with_origin
from pipeline.data.reading import MOST_PLACES, Refused, place_of, read_values
from pipeline.data.refused_file import and_more, tell_refused
from pipeline.data.schema import Column
from pipeline.errors import DataError

SKIP = "Set on_bad_row: skip to leave such rows out."


@dataclass
class BadRows:
    """Reads the rows of a dataset's files, and takes note of bad ones: those that the format could not read, those with
    a value that its column's type refuses, and those that lack a value of a column in `required` (name to what it is).
    With `several` files, the place of a bad row names its file. All bad rows are told (data/refused_file.py) where they
    are `listed`. With `origin`, good rows have the columns of data/origins.py."""

    columns: list[Column]
    required: dict[str, str]
    several: bool
    listed: bool
    origin: bool = False
    num_rows: int = 0
    num_bad: int = 0
    refused: Refused = field(init=False)
    unreadable: list[str] = field(default_factory=list)
    missing: dict[str, list[str]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.refused = Refused(self.several, self.listed)

    def read(self, file: TableFile, rows: Rows) -> pa.RecordBatch:
        """The good rows, each column in the storage of its type."""
        bad = np.zeros(len(rows.numbers), bool)
        values = []
        for column in self.columns:
            raw = rows.columns[column.name]
            try:
                parsed = read_values(column, raw, column.config.missing or ())
            except DataError as error:
                raise DataError(f"{file.name}: {error}") from error
            values.append(parsed.values)
            if parsed.refused.any():
                self.refused.add(column, raw, parsed.refused, rows.numbers, parsed.reasons, file.name)
                bad |= parsed.refused
            if column.name in self.required and parsed.values.null_count:
                lacking = parsed.values.is_null().to_numpy(zero_copy_only=False) & ~parsed.refused
                if lacking.any():
                    places = self.missing.setdefault(column.name, [])
                    wanted = f"a value, as it is the {self.required[column.name]}"
                    self._note(places, column.name, file, rows.numbers[lacking], wanted)
                bad |= lacking
        for number, why in rows.unreadable:
            self._note(self.unreadable, "", file, [number], f"a row that can be read ({why})", f": {why}")
        self.num_rows += len(bad) + len(rows.unreadable)
        self.num_bad += int(bad.sum()) + len(rows.unreadable)
        batch = pa.RecordBatch.from_arrays(values, [column.name for column in self.columns])
        if self.origin:
            batch = with_origin(batch, file.name, pa.array(rows.numbers))
        return batch.filter(pa.array(~bad)) if bad.any() else batch

    def _note(self, places: list[str], key: str, file: TableFile, rows: Any, expected: str, why: str = "") -> None:
        """Take note of rows for one reason."""
        self.counts[key] = self.counts.get(key, 0) + len(rows)
        for number in rows[: MOST_PLACES - len(places)]:
            places.append(f"row {place_of(number, file.name if self.several else '')}{why}")
        if self.listed:
            tell_refused((number, file.name, key, "", expected) for number in rows)

    def error(self, where: str) -> DataError:
        """One line about all bad rows."""
        parts = [str(self.refused.error(where, self.columns)) if self.refused.counts else f"{where}:"]
        for name, places in self.missing.items():
            count = self.counts[name]
            rows = "1 row has" if count == 1 else f"{count} rows have"
            parts.append(f"column '{name}' is the {self.required[name]}, and {rows} no value ({_list(places, count)}).")
        if self.unreadable:
            parts.append(about_unreadable(self.unreadable, self.counts[""]))
        return DataError(" ".join([*parts, SKIP]))

    def summary(self) -> str:
        """What was left out, in a few words."""
        parts = [f"refused in {name}: {count}" for name, count in self.refused.counts.items()]
        parts += [f"no {self.required[name]}: {self.counts[name]}" for name in self.missing]
        parts += [f"not readable: {self.counts['']}"] if self.unreadable else []
        return f"skipped {self.num_bad} of {self.num_rows} rows ({', '.join(parts)})"


def about_unreadable(places: list[str], count: int) -> str:
    """A sentence about so many rows that a format could not read, of which the first `places` are named."""
    return f"{'1 row' if count == 1 else f'{count} rows'} cannot be read ({_list(places[:MOST_PLACES], count)})."


def _list(places: list[str], count: int) -> str:
    return "; ".join(places) + and_more(count, len(places))
