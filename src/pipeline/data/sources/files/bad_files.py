"""Files, or lines of files, that cannot be used: which they are, and why."""

from dataclasses import dataclass, field
from pathlib import PurePosixPath

from pipeline.data.reading import MOST_PLACES
from pipeline.errors import DataError


@dataclass
class BadFiles:
    """Takes note of bad files, whose names are paths in `folder`, and where they are `of_lines` of bad lines too.
    `places` are the first of them, each with the reason."""

    of_lines: bool = False
    folder: PurePosixPath = field(default_factory=PurePosixPath)
    num_bad: int = 0
    places: list[str] = field(default_factory=list)

    def note(self, file: str, why: str) -> None:
        self.num_bad += 1
        if len(self.places) < MOST_PLACES:
            self.places.append(f"{printable(str(self.folder / file))}: {why}")

    def error(self, where: str, advice: str = "") -> DataError:
        """One line about all bad files in `where`."""
        return DataError(f"{where}: {self.words()} {advice}".rstrip())

    @property
    def plural(self) -> str:
        return "lines or files" if self.of_lines else "files"

    def summary(self) -> str:
        """What was left out, in a few words."""
        return f"skipped: {self.words()}"

    def words(self) -> str:
        """How many files cannot be used, and which are the first."""
        one = "1 line or file" if self.of_lines else "1 file"
        files = one if self.num_bad == 1 else f"{self.num_bad} {self.plural}"
        more = "; ..." if self.num_bad > len(self.places) else ""
        return f"{files} cannot be used ({'; '.join(self.places)}{more})."


def printable(name: str) -> str:
    """A file's name in one line."""
    return name if name.isprintable() else repr(name)
