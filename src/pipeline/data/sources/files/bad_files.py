"""Files, or lines of files, that cannot be used: which they are, and why."""

from dataclasses import dataclass, field
from pathlib import PurePosixPath

from pipeline.data.origins import printable
from pipeline.data.reading import MOST_PLACES
from pipeline.data.refused_file import and_more, tell_refused
from pipeline.errors import DataError


@dataclass
class BadFiles:
    """Takes note of bad files, whose names are paths in `folder`, and where they are `of_lines` of bad lines too.
    `places` are the first of them, each with the reason, and `advice` is what to do about the first for which there is
    some. All are told (data/refused_file.py) where they are `listed`.
    """

    of_lines: bool = False
    listed: bool = True
    folder: PurePosixPath = field(default_factory=PurePosixPath)
    num_bad: int = 0
    places: list[str] = field(default_factory=list)
    advice: str = ""

    def note(self, file: str, why: str, line: int | None = None, advice: str = "") -> None:
        """Take note of a file, or of a line of it."""
        self.num_bad += 1
        self.advice = self.advice or advice
        path = str(self.folder / file)
        if len(self.places) < MOST_PLACES:
            place = path if line is None else f"{path}, line {line}"
            self.places.append(f"{printable(place)}: {why}")
        if self.listed:
            what = "file" if line is None else "line"
            tell_refused([(line or "", path, "", "", f"a {what} that can be used ({why})")])

    def error(self, where: str, advice: str = "") -> DataError:
        """One line about all bad files in `where`."""
        return DataError(" ".join(filter(None, (f"{where}: {self.words()}", self.advice, advice))))

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
        return f"{files} cannot be used ({'; '.join(self.places)}{and_more(self.num_bad, len(self.places))})."
