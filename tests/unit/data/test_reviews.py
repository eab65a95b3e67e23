"""Reviews in which the order of the words decides."""

import re
from pathlib import Path

from pipeline.data.sources.reviews import ADJECTIVES, BAD, GOOD, NEGATIONS, ReviewsDataset, batches

NEGATED = re.compile("|".join(NEGATIONS))


def rows(**settings: float) -> list[tuple[str, str]]:
    config = ReviewsDataset(name="r", source="reviews", task="binary", **settings)  # type: ignore[arg-type]
    config.check()
    (batch,) = batches(config, Path())
    return list(zip(batch["review"].to_pylist(), batch["opinion"].to_pylist(), strict=True))


def read(text: str) -> str:
    """What a reader understands: the clause behind `but`, or the one that `although` does not begin."""
    clauses = re.findall(r"the \w+ was [\w ]+?(?= although|[,.])", text)
    decides = clauses[-1]
    if "although" in text:
        decides = clauses[0] if text.index("although") > text.index(clauses[0]) else clauses[-1]
    kind = GOOD if decides.split()[-1] in ADJECTIVES[GOOD].split() else BAD
    return kind if not NEGATED.search(decides) else (GOOD if kind == BAD else BAD)


def test_who_reads_is_right_and_only_the_noise_is_not() -> None:
    assert all(read(text) == opinion for text, opinion in rows(rows=500, noise=0.0))
    found = rows(rows=2000, noise=0.1)
    wrong = sum(read(text) != opinion for text, opinion in found) / len(found)
    assert abs(wrong - 0.1) < 0.03


def test_the_seed_alone_decides() -> None:
    assert rows(rows=200) == rows(rows=200)
    assert rows(rows=200) != rows(rows=200, seed=2)


def test_both_opinions_share_their_words() -> None:
    """With contrast in each review, words that praise are as frequent in bad reviews as in good ones."""
    found = rows(rows=3000, noise=0.0, contrast=1.0)
    praise = set(ADJECTIVES[GOOD].split())
    shares = {}
    for kind in (GOOD, BAD):
        texts = [text for text, opinion in found if opinion == kind]
        shares[kind] = sum(bool(praise & set(re.findall(r"\w+", text))) for text in texts) / len(texts)
    assert abs(shares[GOOD] - shares[BAD]) < 0.05
