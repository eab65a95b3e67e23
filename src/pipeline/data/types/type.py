"""What the type of a column is."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.config import ColumnConfig
from pipeline.data.types.markers import are_numbers

SHOWN_CHARACTERS = 40
NULL_CHARACTER = "\0"
USUAL_BYTES = 32  # of a value whose size varies
# They are so often written for a missing value that one has to say what they mean.
DOUBTFUL = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?", "-")


@dataclass(frozen=True)
class Parsed:
    """`values` (N,) are in the type's storage, null where a value is missing or refused; `refused` (N,) says which
    values the type does not take. `reasons` says why, by the value's place among them, where a value itself would tell
    a person nothing, as the bytes of a damaged image."""

    values: pa.Array
    refused: NDArray[np.bool_]
    reasons: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class FileContent:
    """Files of which each holds one value. They end with one of `endings` (in lower case). `options` of the column have
    other defaults for them than elsewhere."""

    endings: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=dict)


class Type(ABC):
    """A type says how the values of a column are stored, read, and compared. It has no state.

    Values come in two forms: as text, from a CSV file or a form, and as Arrow arrays of some other type, from a Parquet
    file or a data frame. Whatever cannot be stored without loss is refused.

    For example, amounts such as `EUR 3.50`, in the file data/types/amount.py::

        @dataclass
        class AmountColumn(ColumnConfig):
            currency: str = "EUR"

        class Amount(Number):
            config = AmountColumn
            expected = "an amount such as EUR 3.50"
            examples = ("EUR 3.50", "EUR 0", "EUR 12")

            def parse(self, text: pa.StringArray, config: AmountColumn) -> Parsed:
                start = f"{config.currency} "
                found = pc.starts_with(text, start).to_numpy(zero_copy_only=False)
                number = super().parse(pc.replace_substring_regex(text, f"^{start}", ""), NumberColumn("number"))
                return Parsed(number.values, number.refused | ~found)

    With `"amount": Amount()` in TYPES, and a file in model/inputs/ that says what a model does with it,
    `price: {type: amount, currency: USD}` describes a column.
    """

    config: ClassVar[type[ColumnConfig]]
    """The dataclass of a column's configuration."""
    expected: ClassVar[str]
    """In words, what a value is, as an error message says it."""
    examples: ClassVar[tuple[str, ...]] = ()
    """Texts of different values, with which tests try the type. A content has none, as it is no text."""
    files: ClassVar[FileContent | None] = None
    """The files that may hold a value each, for a dataset whose rows are files; `convert` then takes their bytes."""
    is_content: ClassVar[bool] = False
    """Whether a value is a content that is many numbers, such as an image or a recording. None may be missing, since a
    model has no flag for it, and it is not looked at as the values of a table are."""
    packages: ClassVar[tuple[str, ...]] = ()
    """The packages that `convert` needs beyond those of every model: a served model asks for them."""
    near_copy: ClassVar[str] = ""
    """In words, by what values differ at most for which `alike` gives the same number."""

    @abstractmethod
    def storage(self, config: Any) -> pa.DataType:
        """The Arrow type in which values are stored."""

    def value_bytes(self, config: Any) -> int:
        """About how many bytes a value takes in memory, on its way from the storage to a model. How many rows are read
        at a time follows from it. A type whose stored values are smaller than what becomes of them, as encoded ones
        are, says here how large they get."""
        return storage_bytes(self.storage(config))

    @abstractmethod
    def parse(self, text: pa.StringArray, config: Any) -> Parsed:
        """Read values that are text; null stays null."""

    @abstractmethod
    def convert(self, values: pa.Array, config: Any) -> Parsed | None:
        """Read values of another Arrow type; null stays null. None if values of that type are never right."""

    def marked(self, values: pa.Array, missing: pa.StringArray, config: Any) -> pa.BooleanArray:
        """Which values (N,) are what a text in `missing` stands for, though they are no texts: a data frame holds -999,
        too, as a number. It is asked of values as they come, before `convert` may refuse them, and of stored ones."""
        return are_numbers(values, missing.to_pylist())

    @abstractmethod
    def digest(self, values: pa.Array) -> NDArray[np.uint64]:
        """A number (N,) for each value, which depends on the value alone, and is equal for equal values. What it is for
        null does not matter."""

    def alike(self, values: pa.Array, config: Any) -> NDArray[np.uint64] | None:
        """A number (N,) for each value, which is equal for values that are near copies of each other, as are both
        strands of DNA. What it is for null does not matter. None where a value has no near copies but itself."""
        return None

    def timed(self, config: Any, durations: NDArray[Any]) -> Any:
        """A column's configuration with what follows from how much later each row of its dataset (N,) ends than it
        begins, in the storage of the times. A source that tells both has read them."""
        return config

    def shown(self, found: str, config: Any) -> str:
        """A refused value as an error message shows it."""
        return shown(found)

    def advice(self, found: str, config: Any) -> str:
        """What to do about a refused value, as a sentence; empty where there is no advice."""
        return ""

    def remarks(self, values: pa.Array, config: Any) -> dict[str, int]:
        """How many of the values (N,) are remarkable, by what there is to say of them, as in "are clipped"."""
        return {}


def storage_bytes(storage: pa.DataType) -> int:
    """About how many bytes a value of an Arrow type takes in memory."""
    if pa.types.is_fixed_size_list(storage):
        return int(storage.list_size) * storage_bytes(storage.value_type)
    return max(1, storage.bit_width // 8) if pa.types.is_primitive(storage) else USUAL_BYTES


def none_refused(values: pa.Array) -> Parsed:
    return Parsed(values, np.zeros(len(values), bool))


def all_refused(values: pa.Array, storage: pa.DataType) -> Parsed:
    """Each value that is not missing is refused."""
    return Parsed(pa.nulls(len(values), storage), values.is_valid().to_numpy(zero_copy_only=False))


def refused_where(values: pa.Array, refused: NDArray[np.bool_]) -> Parsed:
    """`values`, null where they are refused."""
    if not refused.any():
        return Parsed(values, refused)
    return Parsed(pc.if_else(pa.array(~refused), values, pa.scalar(None, values.type)), refused)


def with_null_character(text: pa.StringArray) -> NDArray[np.bool_]:
    """Which of the texts (N,) have the character 0, which no vocabulary of Keras can hold: NumPy ends a text there."""
    there = pc.fill_null(pc.match_substring(text, NULL_CHARACTER), False)
    found: NDArray[np.bool_] = there.to_numpy(zero_copy_only=False)
    return found


def null_reasons(text: pa.StringArray) -> dict[int, str]:
    """By the places of those texts among all (N,), what is wrong with each, in words."""
    texts = {int(i): text[int(i)].as_py() for i in np.flatnonzero(with_null_character(text))}
    return {i: f"{shown(one)}, whose character {one.index(NULL_CHARACTER) + 1} is 0x00" for i, one in texts.items()}


def is_bytes(kind: pa.DataType) -> bool:
    """Whether values of an Arrow type are bytes, such as the content of files."""
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind))


def doubtful(found: str) -> str:
    """The advice for a text that may stand for a missing value; empty for any other text."""
    found = found.strip()
    return f"Write missing: [{found!r}] if it stands for a missing value." if found in DOUBTFUL else ""


def shown(value: object) -> str:
    """A value as an error message shows it."""
    text = value if isinstance(value, str) else str(value)
    short = text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}..."
    return repr(short)
