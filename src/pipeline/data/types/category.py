"""Categories: a few values that are names, such as an island or a grade. They are stored as text, exactly as found."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.config import ColumnConfig
from pipeline.config.checks import check
from pipeline.data.digests import text_digests
from pipeline.data.types.markers import none_of
from pipeline.data.types.type import (
    DOUBTFUL,
    NULL_CHARACTER,
    Parsed,
    Type,
    doubtful,
    refused_where,
    with_null_character,
)


@dataclass
class CategoryColumn(ColumnConfig):
    """`values` are all categories that there are, in the order of a target's classes. If there are none, every text is
    a category, and the classes of a target are sorted."""

    values: list[str] = field(default_factory=list)

    def check(self) -> None:
        twice = [value for value in self.values if self.values.count(value) > 1]
        check(not twice, "values", twice[:1], "each value once")


class Category(Type):
    config = CategoryColumn
    expected = "a category"
    examples = ("a", "b", "c")

    def storage(self, config: Any) -> pa.DataType:
        return pa.string()

    def parse(self, text: pa.StringArray, config: CategoryColumn) -> Parsed:
        if config.values:
            bad = pc.invert(pc.is_in(text, pa.array(config.values, pa.string())))
        else:
            doubtful_text = pc.is_in(pc.utf8_trim_whitespace(text), pa.array(DOUBTFUL))
            bad = pc.or_(doubtful_text, pa.array(with_null_character(text)))
        return refused_where(text, pc.and_(bad, text.is_valid()).to_numpy(zero_copy_only=False))

    def convert(self, values: pa.Array, config: CategoryColumn) -> Parsed | None:
        """Whole numbers and booleans are categories by their text. Numbers with decimals are not, unless they are whole
        (a data frame makes decimals of whole numbers where one of them is missing)."""
        kind = values.type
        if pa.types.is_boolean(kind) or pa.types.is_integer(kind):
            return self.parse(values.cast(pa.string()), config)
        if pa.types.is_floating(kind):
            values = values.cast(pa.float64())
            values = pc.if_else(pc.is_nan(values), pa.scalar(None, pa.float64()), values)
            numbers = pc.fill_null(values, 0.0).to_numpy(zero_copy_only=False)
            whole = (np.abs(numbers) < 2**53) & (numbers == np.round(numbers))
            as_text = pa.array(np.where(whole, numbers, 0).astype(np.int64)).cast(pa.string())
            found = self.parse(pc.if_else(values.is_valid(), as_text, pa.scalar(None, pa.string())), config)
            return refused_where(found.values, found.refused | ~whole)
        return None

    def marked(self, values: pa.Array, missing: pa.StringArray, config: CategoryColumn) -> pa.BooleanArray:
        """By the text that they are as categories, so that 9 is not 009. `values` does not name what is missing."""
        found = self.convert(values, replace(config, values=[]))
        return none_of(values) if found is None else pc.is_in(found.values, value_set=missing)

    def digest(self, values: pa.Array) -> NDArray[np.uint64]:
        return text_digests(values)

    def advice(self, found: str, config: CategoryColumn) -> str:
        if config.values:
            return f"Expected one of {', '.join(config.values)}."
        if doubt := doubtful(found):
            return f"{doubt.rstrip('.')}, or name all values of the column."
        if NULL_CHARACTER in found:
            return "Take the character 0x00 out of the file."
        return "Give the column as text, exactly as it was in training; or set type: number for numbers."
