"""Which rows of series windows are cut from, and what is refused because it is no series."""

from dataclasses import dataclass

import numpy as np
from omegaconf import MISSING

from pipeline.data.reading import MOST_PLACES
from pipeline.data.sources.table import REFUSE, ROW, SKIP, TableDataset
from pipeline.data.windows import Numbers, SeriesRows, starts_of
from pipeline.errors import DataError

SPLIT, IGNORE = "split", "ignore"
ON_GAP = (REFUSE, SPLIT, IGNORE)
FILE = ":file"  # the column with the number of a row's file


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


def starts(config: WindowsDataset, found: Found) -> Numbers:
    """The first rows of all windows. Raises DataError for rows of one instant, gaps, and series without a window."""
    rows = found.rows
    if len(twice := rows.doubled()):
        places = found.places(twice, [rows.instant(row) for row in twice[:MOST_PLACES].tolist()])
        raise DataError(
            f"{found.where}: {_count(len(twice))} of an instant that its series has already ({places}), expected "
            f"each '{config.time}' once in a series. Remove such rows, or name the column of the series."
        )
    gaps = rows.after_gaps() if config.on_gap != IGNORE else np.zeros(0, np.int64)
    if len(gaps) and config.on_gap == REFUSE:
        distances = rows.distances()
        places = found.places(gaps, [f"{rows.span(float(distances[row - 1]))} later" for row in gaps.tolist()])
        raise DataError(
            f"{found.where}: {_count(len(gaps))} not one step, {rows.span(rows.step)}, later than the row before "
            f"({places}). Set on_gap: split so that no window holds a gap, or ignore if the distance says nothing."
        )
    stretches = rows.stretches(np.concatenate([gaps, rows.torn]))
    _check_lengths(config, found, stretches)
    return starts_of(stretches, config.needed, config.stride)


def _check_lengths(config: WindowsDataset, found: Found, stretches: list[tuple[int, int]]) -> None:
    """Raise DataError for a series of which no stretch is as long as a window and its horizon, unless such series are
    to be left out. Prints what is in no window."""
    longest: dict[int, int] = {}
    first: dict[int, int] = {}
    for start, stop in stretches:
        code = int(found.rows.code[start])
        longest[code] = max(longest.get(code, 0), stop - start)
        first.setdefault(code, start)
    short = [code for code, length in longest.items() if length < config.needed]
    if short and (config.on_bad_row != SKIP or len(short) == len(longest)):
        words = [f"{longest[code]} rows" for code in short]
        places = found.places(np.array([first[code] for code in short]), words)
        several = "1 series is" if len(short) == 1 else f"{len(short)} series are"
        raise DataError(
            f"{found.where}: {several} too short ({places}), expected {config.needed} rows or more without a gap: "
            f"window {config.window} and horizon {config.horizon}. Set a smaller window"
            + (", or on_bad_row: skip." if len(short) < len(longest) else ".")
        )
    lost = sum(stop - start for start, stop in stretches if stop - start < config.needed)
    if lost:
        print(f"{config.name}: {lost} rows are in no window, since their stretch of the series is too short")


def _count(rows: int) -> str:
    return "1 row is" if rows == 1 else f"{rows} rows are"
