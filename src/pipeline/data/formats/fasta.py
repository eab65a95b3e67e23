"""FASTA: records of a header line, which begins with >, and of lines of letters (Pearson and Lipman 1988)."""

import io
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.data.formats.lines import line_blocks
from pipeline.data.formats.rows import TableFile
from pipeline.data.types.type import shown
from pipeline.errors import DataError


@dataclass(frozen=True)
class Record:
    """`header` is the line after its >, without blanks around it, and `line` its number in the file. `letters` are all
    lines of the sequence as one."""

    header: str
    line: int
    letters: str

    @property
    def id(self) -> str:
        """The header up to its first blank; empty for a header without text."""
        return self.header.split(maxsplit=1)[0] if self.header else ""


def records(file: TableFile, encoding: str = "utf-8") -> Iterator[Record]:
    """The records of a file in their order. Empty lines, and comments that begin with ;, are left out.

    Raises DataError for a file that is not FASTA: empty, cut off, or with letters before the first header.
    """
    header, start, letters = "", 0, list[str]()
    number = 0
    for block in line_blocks(file, encoding):
        # str.splitlines would split at more than line breaks, such as at U+2028.
        for line in io.StringIO(block.decode(), newline=None):
            number += 1
            line = line.strip()
            if line.startswith(">"):
                if start:
                    yield Record(header, start, "".join(letters))
                header, start, letters = line[1:].strip(), number, []
            elif line and not line.startswith(";"):
                if not start:
                    raise DataError(
                        f"{file.name}: line {number}: found {shown(line)} before any header, expected FASTA, whose "
                        "records begin with a line such as >name. For other files set source: table."
                    )
                letters.append("".join(line.split()))
    if not start:
        raise DataError(f"{file.name}: no records, expected FASTA, whose records begin with a line such as >name.")
    yield Record(header, start, "".join(letters))
