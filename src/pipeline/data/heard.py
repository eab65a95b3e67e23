"""The lines that are printed are kept as well, for the page of a dataset."""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import TextIO


class _Both(io.TextIOBase):
    def __init__(self, shown: TextIO) -> None:
        self._shown, self.kept = shown, io.StringIO()

    def write(self, text: str) -> int:
        self.kept.write(text)
        return self._shown.write(text)

    def flush(self) -> None:
        self._shown.flush()


@contextmanager
def heard() -> Iterator[list[str]]:
    """Yield a list that holds the lines printed by the body, whichever thread prints them, once the body has ended.
    They are printed as usual."""
    lines: list[str] = []
    both = _Both(sys.stdout)
    with redirect_stdout(both):
        yield lines
    lines += both.kept.getvalue().splitlines()
