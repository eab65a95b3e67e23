"""Text of any length. Unlike a category, each row may have its own."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.config import ColumnConfig
from pipeline.data.digests import text_digests
from pipeline.data.types.type import FileContent, Parsed, Type, is_bytes, none_refused


@dataclass
class TextColumn(ColumnConfig):
    """A text has no options of its own; the empty text is a text."""


class Text(Type):
    config = TextColumn
    expected = "a text"
    files = FileContent((".txt",))

    def storage(self, config: Any) -> pa.DataType:
        return pa.string()

    def parse(self, text: pa.StringArray, config: TextColumn) -> Parsed:
        return none_refused(text)

    def convert(self, values: pa.Array, config: TextColumn) -> Parsed | None:
        """Bytes are text in UTF-8. Nothing else is text: a number has lost how it was written."""
        return decoded(values) if is_bytes(values.type) else None

    def digest(self, values: pa.Array) -> NDArray[np.uint64]:
        return text_digests(values)


def decoded(values: pa.Array) -> Parsed:
    """The texts (N,) that are written in UTF-8. A byte order mark at the start is no part of a text."""
    found = [None if content is None else text_of(content) for content in values.to_pylist()]
    reasons = {i: entry.reason for i, entry in enumerate(found) if isinstance(entry, NoText)}
    texts = [entry if isinstance(entry, str) else None for entry in found]
    refused = np.array([isinstance(entry, NoText) for entry in found], bool)
    return Parsed(pa.array(texts, pa.string()), refused, reasons)


@dataclass(frozen=True)
class NoText:
    """Why bytes are no text, in words."""

    reason: str


def text_of(content: bytes) -> str | NoText:
    if (place := content.find(0)) >= 0:
        return NoText(f"byte {place + 1} is 0x00, which is in no text; it may be UTF-16 or no text at all")
    try:
        return content.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        return NoText(f"not UTF-8, byte {error.start + 1} is 0x{content[error.start]:02x}")
