"""The rows of series in the files of a table, from which windows are cut."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from omegaconf import MISSING

from pipeline.config.data import ROLE_TYPES, TIME
from pipeline.data.reading import MOST_PLACES
from pipeline.data.schema import Column
from pipeline.data.sources.table import TableDataset, declared
from pipeline.data.sources.table_files import REFUSE, ROW, read_tables
from pipeline.data.windows import Numbers, SeriesRows, in_order

SPLIT, IGNORE = "split", "ignore"
ON_GAP = (REFUSE, SPLIT, IGNORE)
FILE = ":file"  # the column with the number of a row's file
CUT = ("missing", "time", "series", "horizon", "stride", "on_gap", "on_bad_row")


@dataclass
class WindowsDataset(TableDataset):
    """Which windows are cut from the rows of a table; SeriesDataset says what each setting means."""

    series: str | None = None
    window: int = MISSING
    horizon: int = 1
    stride: int = 1
    on_gap: str = REFUSE

    @property
    def needed(self) -> int:
        """How many rows a window and its target take."""
        return self.window + self.horizon

    def cut_settings(self, channels: list[str]) -> dict[str, Any]:
        """The settings by which a model can cut windows of these channels from other rows (`SeriesColumn.cut`)."""
        kept = {name: getattr(self, name) for name in CUT}
        read = {*channels, self.time, self.series}
        return kept | {"columns": {name: given for name, given in self.columns.items() if name in read}}


@dataclass(frozen=True)
class Found:
    """The rows of series, and the names of the files that they come from, for messages."""

    config: WindowsDataset
    rows: SeriesRows
    files: list[str]

    @property
    def where(self) -> str:
        return self.files[0] if len(self.files) == 1 else f"dataset {self.config.name}"

    def place(self, row: int) -> str:
        """Where a row stands, as a person counts, and in which series."""
        number, file = int(self.rows.table[ROW][row].as_py()), self.files[self.rows.table[FILE][row].as_py()]
        of_file = f" of {file}" if len(self.files) > 1 else ""
        return f"row {number}{of_file}" + (f", series {self.name(row)!r}" if self.config.series else "")

    def name(self, row: int) -> str:
        """The name of a row's series."""
        return str(self.rows.names[int(self.rows.code[row])])

    def places(self, rows: Numbers, words: list[str]) -> str:
        """The first of these rows, with words on each."""
        places = [f"{self.place(int(row))}: {word}" for row, word in zip(rows[:MOST_PLACES], words, strict=False)]
        return "; ".join(places) + ("; ..." if len(rows) > MOST_PLACES else "")


def read_series(
    config: WindowsDataset, root: Path, channels: list[str], target: Column | None = None
) -> Iterator[tuple[str, Found]]:
    """The rows of series in the files of each key of PATHS, with that key. They hold the channels, the target if there
    is one, the time and the series. Prints how many rows were left out or out of order.

    Raises DataError for files that are not what the configuration says.
    """
    features = [declared(config, name, "number") for name in channels]
    named = {column.name: column for column in features}
    required = dict.fromkeys(channels, "channel")
    if target is not None:
        named[target.name], required[target.name] = target, "target"
    for role, name, kind in (("time", config.time, ROLE_TYPES[TIME][0]), ("series", config.series, "category")):
        if name is not None:
            named[name], required[name] = declared(config, name, kind), role
    parts: dict[str, list[pa.Table]] = {}
    names: list[str] = []
    for key, file, batch in read_tables(config, root, list(named.values()), required, features, numbered=True):
        names += [] if file in names else [file]
        number = pa.repeat(pa.scalar(names.index(file), pa.int32()), batch.num_rows)
        parts.setdefault(key, []).append(pa.Table.from_batches([batch.append_column(FILE, number)]))
    for key in list(parts):
        rows = in_order(pa.concat_tables(parts.pop(key)), config.series, config.time, (FILE, ROW))
        if rows.num_late:
            count = "1 row was" if rows.num_late == 1 else f"{rows.num_late} rows were"
            print(f"{config.name}: {count} earlier than the row before; all are sorted by '{config.time}' now")
        yield key, Found(config, rows, names)
