"""Sequences of letters. Where all have one length, the letters are one-hot at each position; else, k-mers are
counted."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.data.schema import Column
from pipeline.evaluation.designs.design import ColumnDesign, Encoder
from pipeline.evaluation.designs.text import texts_of

KMER = 3  # letters that are counted together where sequences differ in length


def encoder(column: Column, train: pa.Array) -> Encoder | None:
    return _positions(train) or _kmers(train)


def _positions(train: pa.Array) -> Encoder | None:
    """The letters at each position; None where the training rows' sequences differ in length."""
    from sklearn.preprocessing import OneHotEncoder

    lengths = pc.unique(pc.utf8_length(train.drop_null()))
    if len(lengths) != 1:
        return None
    (length,) = lengths.to_pylist()
    encoder = OneHotEncoder(handle_unknown="ignore")
    encoder.fit(_letters(train, length))
    return lambda values: encoder.transform(_letters(values, length))


def _letters(values: pa.Array, length: int) -> NDArray[np.str_]:
    """The first letters (N, length) of sequences, with blanks behind shorter ones."""
    padded = np.array([text.ljust(length)[:length] for text in texts_of(values)], f"U{length}")
    return padded.view("U1").reshape(-1, length)


def _kmers(train: pa.Array) -> Encoder | None:
    """How often each k-mer occurs, by the deviation of that; None where there is none."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    counts = CountVectorizer(analyzer="char", ngram_range=(KMER, KMER), dtype=np.float64)
    made = make_pipeline(counts, StandardScaler(with_mean=False))
    try:
        made.fit(texts_of(train))
    except ValueError:  # scikit-learn's for an empty vocabulary
        return None
    return lambda values: made.transform(texts_of(values))


DESIGN = ColumnDesign(encoder, sparse=True)
