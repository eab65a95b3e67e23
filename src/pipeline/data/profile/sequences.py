"""Sequences of letters: how long they are, of which letters they are made, and the first of each class."""

import pyarrow as pa
import pyarrow.compute as pc
from markupsafe import Markup

from pipeline.data.profile.drawing import bars, shares
from pipeline.data.profile.texts import examples, lengths, visible
from pipeline.data.profile.view import View
from pipeline.data.types.sequence import SequenceColumn, ambiguous_of, letters_of


def sequence(view: View) -> Markup:
    config = view.column.config
    assert isinstance(config, SequenceColumn)
    letters, codes = letters_of(config), "".join(ambiguous_of(config))
    train, test = view.both()
    counts = [letter_counts(values, letters) for values in (train, test)]
    shown = [lengths(view, "length in letters")]
    if codes:
        told = (f"{100 * share_with(values, codes):.1f} %" for values in (train, test))
        shown += [
            Markup("<p>letters; {} of the sequences have ambiguous ones</p>").format(" / ".join(told)),
            bars([*letters, "ambiguous"], *map(shares, counts)),
        ]
    else:
        shown += [Markup("<p>letters</p>"), bars(letters, *(shares(of_letters[:-1]) for of_letters in counts))]
    shown.append(examples(view, lambda value: Markup("<code>{}</code>").format(visible(value))))
    return Markup("").join(shown)


def letter_counts(values: pa.ChunkedArray, letters: str) -> list[int]:
    """How often each letter occurs in all sequences together, and how often any other one."""
    joined = "".join(values.to_pylist())
    counts = [joined.count(letter) for letter in letters]
    return [*counts, len(joined) - sum(counts)]


def share_with(values: pa.ChunkedArray, letters: str) -> float:
    """The share of the sequences that have one of some letters of the alphabet from A to Z."""
    return (pc.sum(pc.match_substring_regex(values, f"[{letters}]")).as_py() or 0) / max(1, len(values))
