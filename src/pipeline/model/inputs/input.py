"""What a model does with the columns of one type."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.config import PreprocessingConfig
from pipeline.data.schema import Column
from pipeline.model.kinds import Feature

if TYPE_CHECKING:
    import keras

Chunks = Callable[[], Iterable[pa.Table]]
MISSING = ":missing"
Arrays = dict[str, NDArray[Any]]  # (N, ...) each, by the names of tensors, whose types they have


@dataclass(frozen=True)
class Tensor:
    """The shape of a tensor, without its rows, and the name of its type. A size that is None may be another in each
    batch."""

    shape: tuple[int | None, ...]
    dtype: str


class Input(ABC):
    """All columns of a type become features in three steps, of which the first two need no TensorFlow.

    `collate` turns stored values into tensors, for training and serving alike, and loses nothing. `fit` learns from the
    training rows. `apply` is a piece of the served model: Keras layers that turn the tensors into features. An input
    has no state; what `fit` has learned goes into the layers.

    For example, the length of a text, in a file of its own::

        class LengthInput(Input):
            gives = (VECTOR,)

            def tensors(self, column: Column) -> dict[str, Tensor]:
                return {column.name: Tensor((1,), "string")}

            def collate(self, column: Column, values: pa.Array) -> Arrays:
                return {column.name: np.array(values.fill_null("").to_pylist(), object)[:, np.newaxis]}

            def fit(self, config: PreprocessingConfig, columns: list[Column], chunks: Chunks) -> None:
                return None

            def apply(
                self, kind: str, columns: list[Column], fitted: None, tensors: "dict[str, keras.KerasTensor]"
            ) -> Feature:
                import keras

                text = keras.layers.Concatenate(name="texts")([tensors[column.name] for column in columns])
                return Feature(keras.ops.cast(keras.ops.strings.length(text), "float32"))
    """

    gives: ClassVar[tuple[str, ...]]
    """The kinds of features that it can give (model/kinds.py). A family gets the first of them that it takes."""

    def as_taken(self, config: PreprocessingConfig, column: Column) -> Column:
        """The column as the schema of a model has it: with what `collate` is to know of the preprocessing."""
        return column

    @abstractmethod
    def tensors(self, column: Column) -> dict[str, Tensor]:
        """The tensors of a column, by name."""

    @abstractmethod
    def collate(self, column: Column, values: pa.Array) -> Arrays:
        """Stored values (N,) as the arrays (N, ...) of these tensors."""

    @abstractmethod
    def fit(self, config: PreprocessingConfig, columns: list[Column], chunks: Chunks) -> Any:
        """What is to be known of the training rows. Each call of `chunks()` gives all of them anew, in parts."""

    @abstractmethod
    def apply(self, kind: str, columns: list[Column], fitted: Any, tensors: "dict[str, keras.KerasTensor]") -> Feature:
        """The features of all columns of this type, of a kind that is in `gives`, from their tensors (B, ...) and what
        `fit` has returned."""


def with_missing(column: Column, values: pa.Array, tensors: Arrays) -> Arrays:
    """The tensors of a column, and beside them, where it may have missing values, a tensor (N, 1) that is 1 for these
    and else 0."""
    if not column.nullable:
        return tensors
    missing = values.is_null().to_numpy(zero_copy_only=False)
    return tensors | {column.name + MISSING: missing.astype(np.float64)[:, np.newaxis]}


def texts_of(values: pa.Array) -> NDArray[Any]:
    """Stored texts as an array (N, 1), in which a missing one is empty."""
    return np.array(values.fill_null("").to_pylist(), object).reshape(-1, 1)


def flag(column: Column) -> dict[str, Tensor]:
    """The tensor that `with_missing` adds."""
    return {column.name + MISSING: Tensor((1,), "float64")} if column.nullable else {}


def side_by_side(parts: "list[keras.KerasTensor]", name: str) -> "keras.KerasTensor":
    """Tensors (B, d) of one type as one (B, D)."""
    import keras

    # Without a type of its own, a layer casts all numbers to float32.
    return keras.layers.Concatenate(name=name, dtype=parts[0].dtype)(parts) if len(parts) > 1 else parts[0]
