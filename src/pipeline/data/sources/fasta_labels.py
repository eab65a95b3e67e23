"""A table of the labels of FASTA records, by id."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa

from pipeline.config import TextConfig
from pipeline.data.formats import FORMATS
from pipeline.data.formats.bad_rows import BadRows
from pipeline.data.formats.fasta import Record
from pipeline.data.formats.finding import find_files, format_of
from pipeline.data.formats.rows import layout_of
from pipeline.data.heard import tell_left_out
from pipeline.data.reading import MOST_PLACES
from pipeline.data.schema import Column
from pipeline.data.sources.table_files import REFUSE, ROW
from pipeline.data.types.number import NumberColumn
from pipeline.data.types.text import TextColumn
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


def read_labels(path: str, root: Path, group: str | None, text: TextConfig, on_bad_row: str) -> Labels:
    """The labels in a table, in any format that a table may have; `text` says how it is written if it is text. Prints
    how many of its rows were left out, if any. Raises DataError for a table that does not have one label for each id,
    and for rows that cannot be used, unless they are to be left out."""
    found = find_files([path], root)
    if len(found) > 1:
        raise DataError(f"{path}: found {len(found)} files, expected one table of labels.")
    (file,), named = found, {ID: "id", LABEL: "label"} | ({group: "group"} if group else {})
    format, columns = format_of(found), [Column(name, TextColumn("text", missing=[""])) for name in named]
    bad = BadRows([Column(ROW, NumberColumn("number")), *columns], named, several=False, listed=on_bad_row == REFUSE)
    labels, first, again = Labels(file.name), dict[str, int](), list[str]()
    for rows in FORMATS[format].rows(file, layout_of(text, format, list(named))):
        texts = {name: rows.columns[name].cast(pa.string()) for name in named}
        good = bad.read(file, replace(rows, columns={ROW: pa.array(rows.numbers), **texts}))
        for number, id, label, *groups in zip(*(good[name].to_pylist() for name in (ROW, *named)), strict=True):
            if first.setdefault(id, int(number)) != number:
                again.append(f"row {number:.0f}: {shown(id)}, as in row {first[id]}")
            labels.by_id[id] = (label, groups[0] if groups else None)
    if bad.num_bad and on_bad_row == REFUSE:
        raise bad.error(file.name)
    if again:
        count, more = len(again), "; ..." if len(again) > MOST_PLACES else ""
        told = f"{'1 row has' if count == 1 else f'{count} rows have'} the id of another row"
        raise DataError(f"{file.name}: {told} ({'; '.join(again[:MOST_PLACES])}{more}). Keep one label for each id.")
    if bad.num_bad:
        tell_left_out(file.name, bad.summary())
    return labels
