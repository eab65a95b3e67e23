"""Sequences of letters: how long they are, of which letters they are made, and the first of each class."""

import pyarrow as pa
import pyarrow.compute as pc
from markupsafe import Markup

from pipeline.data.profile.drawing import bars
from pipeline.data.profile.texts import examples, lengths, visible
from pipeline.data.profile.view import View
from pipeline.data.types.sequence import SequenceColumn, ambiguous_of, letters_of


def sequence(view: View) -> Markup:
    config = view.column.config
    assert isinstance(config, SequenceColumn)
    letters, codes = letters_of(config), "".join(ambiguous_of(config))
    train, test = view.both()
    shares = [letter_shares(values, letters) for values in (train, test)]
    shown = [lengths(view, "length in letters")]
    if codes:
        told = (f"{100 * share_with(values, codes):.1f} %" for values in (train, test))
        shown += [
            Markup("<p>letters; {} of the sequences have ambiguous ones</p>").format(" / ".join(told)),
            bars([*letters, "ambiguous"], *([*of_letters, 1 - sum(of_letters)] for of_letters in shares)),
        ]
    else:
        shown += [Markup("<p>letters</p>"), bars(letters, *shares)]
    shown.append(examples(view, lambda value: Markup("<code>{}</code>").format(visible(value))))
    return Markup("").join(shown)


def letter_shares(values: pa.ChunkedArray, letters: str) -> list[float]:
    """The share of each letter in all sequences together."""
    joined = "".join(values.to_pylist())
    return [joined.count(letter) / max(1, len(joined)) for letter in letters]


def share_with(values: pa.ChunkedArray, letters: str) -> float:
    """The share of the sequences that have one of some letters of the alphabet from A to Z."""
    return (pc.sum(pc.match_substring_regex(values, f"[{letters}]")).as_py() or 0) / max(1, len(values))
