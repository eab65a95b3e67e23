"""A line that a person can follow: how many epochs are done, how fast, the time left and the latest values."""

import sys
import time

from pipeline.data.history import EpochValues

SHOWN = ("loss", "val_loss", "val_accuracy", "val_mae")
_hidden: list[bool] = []  # not empty in a process that shows no bars
_passing: list[bool] = []  # not empty in one whose bars go away at their end


def hide() -> None:
    """Show no progress bars in this process from now on."""
    _hidden[:] = [True]


def pass_by() -> None:
    """From now on, show progress bars in this process only while something trains, and only in a terminal."""
    _passing[:] = [True]
    if not sys.stderr.isatty():
        hide()


class Progress:
    """A progress bar of epochs on stderr; where that is no terminal, about one line every ten seconds."""

    def __init__(self, name: str, epochs: int, done: int = 0, shown: bool = True) -> None:
        from tqdm import tqdm

        interval = 0.1 if sys.stderr.isatty() else 10.0
        title = f"train {name}"
        self._bar = tqdm(
            total=epochs,
            initial=done,
            desc=title,
            unit="epoch",
            mininterval=interval,
            disable=not shown or bool(_hidden),
            leave=not _passing,
        )

    def epoch(self, epoch: int, values: EpochValues) -> None:
        if self._bar.disable:
            return
        last = epoch == self._bar.total
        if last or time.time() - self._bar.last_print_t >= self._bar.mininterval:
            self._bar.set_postfix({name: f"{values[name]:.4g}" for name in SHOWN if name in values}, refresh=False)
        self._bar.update(epoch - self._bar.n)

    def close(self) -> None:
        self._bar.close()
