"""A plain grid of Hydra's: what is looked at before its first job, and what is kept of it."""

import math
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep, Override, RangeSweep

from pipeline import locks
from pipeline.errors import ConfigError
from pipeline.layout import JOB, LOCK
from pipeline.search.expressions import num_in_range
from pipeline.search.page import write_page
from pipeline.search.space import MOST_IN_GRID
from pipeline.tracking.sweep import Sweep, command_given, read_jobs


def check_grid(arguments: Sequence[str], loader: ConfigLoader | None = None) -> None:
    """Raise ConfigError for a grid that is too large, for values that only a search can choose among, and for settings
    of a search. Hydra itself would list and compose all jobs before the first one. The `loader` knows the options of
    Hydra's groups, which an argument may name by a pattern."""
    sizes: dict[str, int] = {}
    for override in OverridesParser.create(config_loader=loader).parse_overrides(list(arguments)):
        key = override.get_key_element().lstrip("+~")
        if key.startswith("sweep."):
            raise ConfigError(f"{key} is a setting of a search, and none is chosen. Add sweep=<name>.")
        sizes[key] = _size(key, override)
    number = math.prod(sizes.values())
    if number > MOST_IN_GRID:
        told = " x ".join(f"{size:,} of {key}" for key, size in sizes.items() if size > 1)
        raise ConfigError(
            f"the grid has {number:,} jobs ({told}), expected {MOST_IN_GRID:,} at most. Leave values out, or let a "
            "search choose among them: sweep=<name>."
        )


def _size(key: str, override: Override) -> int:
    """How many values the grid tries of this key. A range is counted without listing it."""
    if not override.is_sweep_override():
        return 1
    text, value = (override.input_line or "").partition("=")[2], override.value()
    if isinstance(value, IntervalSweep):
        raise ConfigError(
            f"{key}: found '{text}', of which a grid cannot try each value. Add sweep=<name> for a search, or use "
            "choice(...) or range(...)."
        )
    if isinstance(value, RangeSweep):
        return num_in_range(key, text, value)
    return sum(1 for _ in override.sweep_string_iterator())


@contextmanager
def kept_grid(folder: Path) -> Iterator[None]:
    """Keep the records of a grid's jobs in its folder, which nobody takes for one that has ended meanwhile, and then a
    page of them. A grid without a job leaves nothing."""
    with locks.hold(folder / LOCK, f"sweep {folder.name}"):
        Sweep(command_given()).save(folder)
        try:
            yield
            print(f"sweep {folder.name}: page {write_page(folder, read_jobs(folder))}")
        finally:
            if not any(folder.glob(f"*/{JOB}")):
                shutil.rmtree(folder)
