"""Text of any length. Unlike a category, each row may have its own."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.config import ColumnConfig
from pipeline.data.digests import text_digests
from pipeline.data.types.type import Parsed, Type, none_refused


@dataclass
class TextColumn(ColumnConfig):
    """A text has no options of its own; the empty text is a text."""


class Text(Type):
    config = TextColumn
    expected = "a text"

    def storage(self, config: Any) -> pa.DataType:
        return pa.string()

    def parse(self, text: pa.StringArray, config: TextColumn) -> Parsed:
        return none_refused(text)

    def convert(self, values: pa.Array, config: TextColumn) -> Parsed | None:
        """Nothing but text is text: a number has lost how it was written."""
        return None

    def digest(self, values: pa.Array) -> NDArray[np.uint64]:
        return text_digests(values)
