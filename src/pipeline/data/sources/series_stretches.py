"""The stretches of rows from which windows are cut, and what is refused because it is no series."""

from dataclasses import dataclass

import numpy as np

from pipeline.data.heard import tell_left_out
from pipeline.data.reading import MOST_PLACES
from pipeline.data.sources.series_rows import IGNORE, Found
from pipeline.data.sources.table_files import REFUSE, SKIP
from pipeline.errors import DataError


@dataclass(frozen=True)
class Advice:
    """What to do about a gap, about series that are too short, and about these if others are long enough."""

    gap: str
    short: str
    some: str


TO_PREPARE = Advice(
    "Set on_gap: split so that no window holds a gap, or ignore if the distance says nothing.",
    "Set a smaller window",
    ", or on_bad_row: skip.",
)


def stretches(found: Found, needed: int, advice: Advice = TO_PREPARE) -> list[tuple[int, int]]:
    """Where each stretch of rows begins and ends from which windows may be cut; the shorter ones have fewer than the
    `needed` rows. Raises DataError for rows of one instant, gaps, and series without a window."""
    config, rows = found.config, found.rows
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
            f"({places}). {advice.gap}"
        )
    parts = rows.stretches(np.concatenate([gaps, rows.torn]))
    _check_lengths(found, parts, needed, advice)
    return parts


def _check_lengths(found: Found, stretches: list[tuple[int, int]], needed: int, advice: Advice) -> None:
    """Raise DataError for a series of which no stretch has the `needed` rows, unless such series are to be left out.
    Prints what is in no window."""
    config = found.config
    longest: dict[int, int] = {}
    first: dict[int, int] = {}
    for start, stop in stretches:
        code = int(found.rows.code[start])
        longest[code] = max(longest.get(code, 0), stop - start)
        first.setdefault(code, start)
    short = [code for code, length in longest.items() if length < needed]
    if short and (config.on_bad_row != SKIP or len(short) == len(longest)):
        words = [f"{longest[code]} rows" for code in short]
        places = found.places(np.array([first[code] for code in short]), words)
        several = "1 series is" if len(short) == 1 else f"{len(short)} series are"
        horizon = f" and horizon {needed - config.window}" if needed > config.window else ""
        raise DataError(
            f"{found.where}: {several} too short ({places}), expected {needed} rows or more without a gap: window "
            f"{config.window}{horizon}. {advice.short}" + (advice.some if len(short) < len(longest) else ".")
        )
    lost = sum(stop - start for start, stop in stretches if stop - start < needed)
    if lost:
        tell_left_out(config.name, f"{lost} rows are in no window, since their stretch of the series is too short")


def _count(rows: int) -> str:
    return "1 row is" if rows == 1 else f"{rows} rows are"
