"""Texts: the tf-idf of their words."""

import pyarrow as pa

from pipeline.data.schema import Column
from pipeline.evaluation.designs.design import ColumnDesign, Encoder

MOST_WORDS = 20_000


def words(column: Column, train: pa.Array) -> Encoder | None:
    """None where the training rows' texts have no words."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(max_features=MOST_WORDS)
    try:
        vectorizer.fit(texts_of(train))
    except ValueError:  # scikit-learn's for an empty vocabulary
        return None
    return lambda values: vectorizer.transform(texts_of(values))


def texts_of(values: pa.Array) -> list[str]:
    """Texts, empty where one is missing."""
    texts: list[str] = values.fill_null("").to_pylist()
    return texts


DESIGN = ColumnDesign(words, sparse=True)
