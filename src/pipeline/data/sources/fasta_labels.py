"""A table of the labels of FASTA records, by id."""

from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from pipeline.config import TextConfig
from pipeline.data.formats import FORMATS
from pipeline.data.formats.fasta import Record
from pipeline.data.formats.finding import find_files, format_of
from pipeline.data.formats.rows import layout_of
from pipeline.data.types.type import shown
from pipeline.errors import DataError

ID, LABEL = "id", "label"


@dataclass
class Labels:
    """The label, and the group if there is one, of each id of a table with this file name."""

    file: str
    by_id: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def of(self, record: Record) -> tuple[str, str | None] | str:
        """The label and the group of a record, or why it has none."""
        if record.id not in self.by_id:
            return f"id {shown(record.id)} is not in {self.file}"
        self.used.add(record.id)
        return self.by_id[record.id]

    def num_unused(self) -> int:
        return len(self.by_id) - len(self.used)


def read_labels(path: str, root: Path, group: str | None) -> Labels:
    """The labels in a table, in any format that a table may have. Raises DataError for a table that does not have one
    label for each id."""
    found = find_files([path], root)
    if len(found) > 1:
        raise DataError(f"{path}: found {len(found)} files, expected one table of labels.")
    (file,), names = found, [ID, LABEL, *([group] if group else [])]
    name = format_of(found)
    labels, first = Labels(file.name), dict[str, int]()
    for rows in FORMATS[name].rows(file, layout_of(TextConfig(), name, names)):
        if rows.unreadable:
            number, why = rows.unreadable[0]
            raise DataError(f"{file.name}: row {number} cannot be read: {why}.")
        columns = [rows.columns[name].cast(pa.string()).to_pylist() for name in names]
        for number, id, label, *groups in zip(rows.numbers.tolist(), *columns, strict=True):
            if not id or not label or not all(groups):
                raise DataError(f"{file.name}: row {number}: found id {id!r}, label {label!r}, expected both.")
            if id in first:
                raise DataError(
                    f"{file.name}: row {number}: the id {shown(id)} was in row {first[id]} too. Keep one label."
                )
            first[id] = number
            labels.by_id[id] = (label, groups[0] if groups else None)
    return labels
