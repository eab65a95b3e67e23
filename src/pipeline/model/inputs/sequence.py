"""A sequence becomes its letters, each as fractions over the alphabet: A is 1 for A, and N a quarter for each base.

Families that take a vector get them side by side where all training sequences have one length, or else how often each
run of k letters (k-mer) occurs. A run with ambiguous letters counts for each run that it may stand for, by the product
of their fractions. A missing sequence has no letters.
"""

from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.config import PreprocessingConfig
from pipeline.data.schema import Column
from pipeline.data.types.sequence import SequenceColumn, ambiguous_of, letters_of
from pipeline.errors import ConfigError
from pipeline.model.inputs.input import Chunks, Input, Tensor, side_by_side
from pipeline.model.inputs.scaling import rescale
from pipeline.model.kinds import LETTERS, VECTOR, Feature

if TYPE_CHECKING:
    import keras

USUAL_KMERS, MOST_KMERS = 500, 65_536  # different ones
MOST_ROWS, MOST_BYTES = 256, 2**27  # of which k-mers are counted together

Array = NDArray[Any]


@dataclass(frozen=True)
class Found:
    """How many letters count, and the length of the k-mers, 0 for letters by position. `mean` and `scale` (D,) bring
    counts of k-mers to mean 0 and deviation 1."""

    length: int
    k: int
    mean: Array
    scale: Array


class SequenceInput(Input):
    gives = (LETTERS, VECTOR)

    def tensors(self, column: Column) -> dict[str, Tensor]:
        return {column.name: Tensor((None,), "uint8")}

    def collate(self, column: Column, values: pa.Array) -> dict[str, Array]:
        """Each letter as a number (N, T) from 1 on, and 0 after the last one. T is the longest length."""
        return {column.name: codes(values, _config(column))}

    def fit(self, config: PreprocessingConfig, columns: list[Column], chunks: Chunks) -> list[Found]:
        return [_fit(config, column, chunks) for column in columns]

    def apply(
        self, kind: str, columns: list[Column], fitted: list[Found], tensors: "dict[str, keras.KerasTensor]"
    ) -> Feature:
        parts = []
        for i, (column, found) in enumerate(zip(columns, fitted, strict=True)):
            x = letters(i, found.length, _config(column), tensors[column.name])
            parts.append(x if kind == LETTERS else _vector(i, found, x))
        return Feature(side_by_side(parts, "sequences"))


def _config(column: Column) -> SequenceColumn:
    assert isinstance(column.config, SequenceColumn)
    return column.config


def codes(values: pa.Array, config: SequenceColumn) -> Array:
    """Stored sequences (N,) as numbers (N, T): the places of their letters in the table `fractions`."""
    table = np.zeros(256, np.uint8)
    accepted = "".join([letters_of(config), *ambiguous_of(config)]).encode()
    table[list(accepted)] = np.arange(1, len(accepted) + 1)
    lengths = pc.binary_length(values).fill_null(0).to_numpy(zero_copy_only=False)
    found = np.zeros((len(values), max(1, lengths.max(initial=0))), np.uint8)
    # all letters are ASCII, so there is a byte for each
    joined = "".join(values.drop_null().to_pylist()).encode()
    found[np.arange(found.shape[1]) < lengths[:, np.newaxis]] = table[np.frombuffer(joined, np.uint8)]
    return found


def fractions(config: SequenceColumn) -> Array:
    """For each number that `codes` gives, the fractions of all letters (1 + codes, C); number 0 has none."""
    own = letters_of(config)
    rows = [[], *own, *ambiguous_of(config).values()]
    return np.array([[float(letter in row) / max(1, len(row)) for letter in own] for row in rows], np.float32)


def letters(i: int, length: int, config: SequenceColumn, tensor: "keras.KerasTensor") -> "keras.KerasTensor":
    """The letters (B, length, C) of the i-th column of sequences, from their numbers (B, T)."""
    import keras

    table = fractions(config)
    filled = keras.ops.pad(keras.ops.cast(tensor, "int32"), [[0, 0], [0, length]])
    cut = keras.layers.Reshape((length,), dtype="int32", name=f"sequence_{i}")(filled[:, :length])
    layer = keras.layers.Embedding(*table.shape, trainable=False, name=f"letters_{i}")
    x = layer(cut)
    layer.set_weights([table])
    return x


def _vector(i: int, found: Found, x: "keras.KerasTensor") -> "keras.KerasTensor":
    import keras

    if not found.k:
        return keras.layers.Flatten(name=f"positions_{i}")(x)
    return rescale(kmers(x, found.k, keras.ops), found.scale, -found.mean * found.scale, f"kmers_{i}")


def kmers(x: Any, k: int, of: ModuleType) -> Any:
    """How often each k-mer (B, C ** k) occurs in letters (B, T, C), whose order is that of the alphabet. `of` is NumPy
    or keras.ops.

    It is the sum over all positions of the product of the fractions of k letters. The product of the first half of
    the letters and that of the rest make one product of matrices.
    """
    _, length, num_letters = x.shape
    if k == 1:
        return of.sum(x, axis=1)
    x = of.pad(x, [[0, 0], [0, k - 1], [0, 0]])
    half = k // 2
    first = runs(x[:, : length + half - 1], half, of)
    rest = runs(x[:, half:], k - half, of)
    return of.reshape(of.matmul(of.transpose(first, (0, 2, 1)), rest), (-1, num_letters**k))


def runs(x: Any, k: int, of: ModuleType) -> Any:
    """The fractions (B, T - k + 1, C ** k) of each k-mer at each position."""
    _, length, num_letters = x.shape
    found = x
    for i in range(1, k):
        both = found[:, :-1, :, None] * x[:, i:, None, :]
        found = of.reshape(both, (-1, length - i, num_letters ** (i + 1)))
    return found


def _fit(config: PreprocessingConfig, column: Column, chunks: Chunks) -> Found:
    lengths = [pc.min_max(pc.utf8_length(table[column.name])) for table in chunks()]
    shortest = min((length["min"].as_py() for length in lengths if length["min"].is_valid), default=0)
    longest = max((length["max"].as_py() for length in lengths if length["max"].is_valid), default=0)
    length = max(1, min(longest, config.sequence.longest))
    if longest > length:
        _tell_cut(column.name, length, chunks)
    k = config.sequence.kmers or (0 if shortest == longest else usual_k(_config(column)))
    num_kmers = len(letters_of(_config(column))) ** k
    if num_kmers > MOST_KMERS:
        raise ConfigError(
            f"preprocessing.sequence.kmers: found {k}, which makes {num_kmers} features of column '{column.name}', "
            f"expected {MOST_KMERS} at most. Set fewer."
        )
    mean, scale = np.zeros(num_kmers), np.ones(num_kmers)
    if k and config.standardize:
        mean, scale = _moments(_config(column), column.name, length, k, chunks)
    return Found(length, k, mean, scale)


def _tell_cut(name: str, length: int, chunks: Chunks) -> None:
    """Print how many training sequences are longer than what a model sees of them."""
    longer = (pc.sum(pc.greater(pc.utf8_length(table[name]), length)).as_py() or 0 for table in chunks())
    print(
        f"{name}: {sum(longer)} training sequences have more than {length} letters; a model does not see what comes "
        "after them (preprocessing.sequence.longest)"
    )


def usual_k(config: SequenceColumn) -> int:
    """The largest length of which there are USUAL_KMERS different k-mers at most."""
    num_letters, k = len(letters_of(config)), 1
    while 1 < num_letters ** (k + 1) <= USUAL_KMERS:
        k += 1
    return k


def _moments(config: SequenceColumn, name: str, length: int, k: int, chunks: Chunks) -> tuple[Array, Array]:
    """The mean of each k-mer's count in the training rows, and one by its deviation; 1 for one that is constant."""
    table, num_rows, total, squares = fractions(config), 0, np.zeros(()), np.zeros(())
    at_once = rows_at_once(length, k, table.shape[1])
    for chunk in chunks():
        # Letters beyond the length would take memory for nothing.
        values = pc.utf8_slice_codeunits(chunk[name].combine_chunks(), 0, length)
        for start in range(0, len(values), at_once):
            numbers = codes(values.slice(start, at_once), config)
            counts = kmers(table[numbers], k, np).astype(np.float64)
            num_rows, total, squares = num_rows + len(counts), total + counts.sum(0), squares + (counts**2).sum(0)
    mean = total / num_rows
    variance = squares / num_rows - mean**2
    varies = variance > 1e-9 * np.maximum(squares / num_rows, 1e-9)
    return mean, np.where(varies, 1 / np.sqrt(np.where(varies, variance, 1.0)), 1.0)


def rows_at_once(length: int, k: int, num_letters: int) -> int:
    """Of how many sequences the k-mers are counted together, so that the arrays in between stay below MOST_BYTES: those
    of both halves of a k-mer at each position, and the counts in single and twice in double precision."""
    rest: int = num_letters ** (k - k // 2)
    row_bytes: int = 4 * length * (num_letters + num_letters ** (k // 2) + 2 * rest) + 20 * num_letters**k
    return max(1, min(MOST_ROWS, MOST_BYTES // row_bytes))
