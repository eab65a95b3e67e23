"""Records of a FASTA file as rows to predict, each with its id. Training reads labels, too (data/sources/fasta.py)."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from pipeline.data.formats.fasta import records
from pipeline.data.formats.lines import COMPRESSIONS
from pipeline.data.formats.rows import Format, Layout, Rows, TableFile
from pipeline.data.prepared import ROW
from pipeline.data.sources.fasta_rows import in_parts
from pipeline.data.types.type import shown
from pipeline.errors import DataError

ENDINGS = (".fa", ".fasta", ".fna", ".ffn", ".faa", ".frn")


def is_fasta(file: TableFile) -> bool:
    """Whether a file's name ends as those of FASTA do, before what says how it is compressed."""
    endings = [ending.lower() for ending in file.path.suffixes]
    if endings and endings[-1] in COMPRESSIONS:
        endings.pop()
    return bool(endings) and endings[-1] in ENDINGS


def names(file: TableFile, layout: Layout) -> list[str]:
    """The ids are the rows' own, and the one other column has whatever name is asked for."""
    return [*layout.columns, ROW]


def rows(file: TableFile, layout: Layout) -> Iterator[Rows]:
    """The records of a file, some at a time: their letters, and their ids, which are the headers up to the first blank,
    or else the records' numbers. Raises DataError for more columns than one of sequences."""
    columns = [name for name in layout.columns if name != ROW]
    if len(columns) != 1:
        raise DataError(
            f"{file.name}: FASTA has one column of sequences, expected {len(columns)} ({', '.join(columns)}). Set "
            "another format."
        )
    for some in in_parts(enumerate(records(file, layout.encoding), start=1)):
        empty = [(f"{i} (line {one.line})", _no_letters(one.header)) for i, one in some if not one.letters]
        kept = [(i, one) for i, one in some if one.letters]
        found = {
            columns[0]: pa.array([one.letters for _, one in kept], pa.string()),
            ROW: pa.array([one.id or str(i) for i, one in kept], pa.string()),
        }
        yield Rows(found, np.array([f"{i} (line {one.line})" for i, one in kept], object), empty)


def _no_letters(header: str) -> str:
    return f"header {shown(header)} without a sequence"


FASTA = Format(names, rows)
