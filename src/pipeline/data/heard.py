"""The lines that are printed are kept as well, for the page of a dataset; and those about rows that are left out, for
its summary."""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from typing import TextIO


@dataclass
class Heard:
    """`lines` are all lines that were printed; those about what a source has left out are in `left_out`, too."""

    lines: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


class _Both(io.TextIOBase):
    def __init__(self, shown: TextIO) -> None:
        self._shown, self.kept, self.left_out = shown, io.StringIO(), list[str]()

    def write(self, text: str) -> int:
        self.kept.write(text)
        return self._shown.write(text)

    def flush(self) -> None:
        self._shown.flush()


@contextmanager
def heard() -> Iterator[Heard]:
    """Yield what holds the lines printed by the body, whichever thread prints them, once the body has ended. They are
    printed as usual."""
    found = Heard()
    both = _Both(sys.stdout)
    with redirect_stdout(both):
        yield found
    found.lines += both.kept.getvalue().splitlines()
    found.left_out += both.left_out


def tell_left_out(where: str, what: str) -> None:
    """Print what a source leaves out of the rows of `where`, and let the summary have it."""
    line = f"{where}: {what}"
    print(line)
    if isinstance(sys.stdout, _Both):
        sys.stdout.left_out.append(line)
