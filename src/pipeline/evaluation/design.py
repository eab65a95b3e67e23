"""The features of rows as one matrix, for scikit-learn."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.sparse import hstack

from pipeline.config.audio import AudioFeaturesConfig
from pipeline.data.prepared import Split
from pipeline.data.schema import Column, Schema
from pipeline.data.spectrogram import AT_ONCE, Spectrogram
from pipeline.data.types.audio import AudioColumn, samples_of
from pipeline.data.types.clock import since_1970
from pipeline.data.types.text import Text

Array = NDArray[np.float64]
# It turns rows, some at a time, into vectors (n, D): an array, or a sparse one of SciPy's where there are texts.
Design = Callable[[pa.Table], Any]
# It turns the values (n,) of one column into a matrix (n, d).
Encoder = Callable[[pa.Array], Array]
MOST_CATEGORIES = 100
MOST_WORDS = 20_000
PARTS, BANDS = 10, 20  # of a recording


def linear_design(schema: Schema, train: Split) -> Design:
    """Vectors as a user of scikit-learn would make them for a linear model: missing numbers are the training rows' mean
    and have a flag, and categories are one-hot; all of this is standardised. A text is the tf-idf of its words, and a
    recording is the log-mel spectrum of each of PARTS parts of it."""
    from sklearn.preprocessing import StandardScaler

    texts = [column.name for column in schema.features if isinstance(column.type, Text)]
    encoders = {
        column.name: _encoder(column, train.table[column.name].combine_chunks())
        for column in schema.features
        if column.name not in texts
    }
    parts: list[Design] = [words for name in texts if (words := _words(name, train))]
    if encoders:
        plain = side_by_side(encoders)
        # Without scaling, a column as large as a moment in microseconds would leave nothing of the others.
        scaler = StandardScaler().fit(plain(train.table))
        parts = [lambda table: scaler.transform(plain(table)), *parts]
    if not parts:
        return lambda table: np.zeros((table.num_rows, 1))
    return parts[0] if len(parts) == 1 else lambda table: hstack([part(table) for part in parts], format="csr")


def _words(name: str, train: Split) -> Design | None:
    """The tf-idf of a column's words; None where its texts have no words."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(max_features=MOST_WORDS)
    try:
        vectorizer.fit(_texts(train.table, name))
    except ValueError:  # scikit-learn's for an empty vocabulary
        return None
    return lambda table: vectorizer.transform(_texts(table, name))


def _texts(table: pa.Table, name: str) -> list[str]:
    """The texts of a column, empty where one is missing."""
    texts: list[str] = table[name].combine_chunks().fill_null("").to_pylist()
    return texts


def side_by_side(encoders: dict[str, Encoder]) -> Design:
    """The matrices of all columns as one; `encoders` are by the name of the column."""
    return lambda table: np.concatenate(
        [encode(table[name].combine_chunks()) for name, encode in encoders.items()], axis=1
    )


def _encoder(column: Column, train: pa.Array) -> Encoder:
    if isinstance(column.config, AudioColumn):
        return _spectra(column.config)
    if pa.types.is_fixed_size_list(train.type):
        return _pixels
    return _one_hot(train) if pa.types.is_string(train.type) else _numbers(train)


def _pixels(values: pa.Array) -> Array:
    flat: Array = values.flatten().to_numpy(zero_copy_only=False).astype(np.float64)
    return flat.reshape(len(values), -1)


def _spectra(config: AudioColumn) -> Encoder:
    """The mean of each band in each part of a recording."""
    spectrogram = Spectrogram(AudioFeaturesConfig(mels=BANDS), config.rate, config.samples)

    def encode(values: pa.Array) -> Array:
        some = (values.slice(start, AT_ONCE) for start in range(0, len(values), AT_ONCE))
        return np.concatenate([_parts(spectrogram.of(samples_of(part, config))) for part in some])

    return encode


def _parts(frames_NFD: NDArray[np.float32]) -> Array:
    parts = np.array_split(frames_NFD, min(PARTS, frames_NFD.shape[1]), axis=1)
    return np.concatenate([part.mean(axis=1, dtype=np.float64) for part in parts], axis=1)


def _one_hot(train: pa.Array) -> Encoder:
    """A column for each of the most frequent categories, and one for missing values."""
    names = most_frequent(train, MOST_CATEGORIES)

    def encode(values: pa.Array) -> Array:
        found = np.zeros((len(values), len(names) + 1))
        number = pc.index_in(values, names).fill_null(-1).to_numpy(zero_copy_only=False)
        found[np.flatnonzero(number >= 0), number[number >= 0]] = 1.0
        found[:, -1] = values.is_null().to_numpy(zero_copy_only=False)
        return found

    return encode


def _numbers(train: pa.Array) -> Encoder:
    """Numbers, booleans, and dates as days or microseconds, (n, 1), or with a flag (n, 2)."""
    usual, flagged = pc.mean(as_floats(train)).as_py() or 0.0, train.null_count > 0

    def encode(values: pa.Array) -> Array:
        numbers = as_floats(values).fill_null(usual).to_numpy(zero_copy_only=False)
        flags = values.is_null().to_numpy(zero_copy_only=False).astype(np.float64)
        return np.stack([numbers, flags] if flagged else [numbers], axis=1)

    return encode


def most_frequent(values: pa.Array, most: int) -> pa.Array:
    """The values that occur most often, without null."""
    found = pc.value_counts(values.drop_null()).sort(order="descending", by="counts")
    return found.field("values").slice(0, most)


def as_floats(values: pa.Array) -> pa.Array:
    """Numbers, booleans as 0 and 1, and dates as days or microseconds, as float64; null stays null."""
    plain = values.cast(pa.int8()) if pa.types.is_boolean(values.type) else since_1970(values)
    return plain.cast(pa.float64(), safe=False)
