"""Sequences of letters: DNA, RNA, proteins, or letters of one's own. They are stored as text, in upper case."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.config import ColumnConfig
from pipeline.config.checks import check, one_of
from pipeline.data.digests import Digests, text_digests
from pipeline.data.types.type import DOUBTFUL, Parsed, Type, doubtful, refused_where, shown

# The letters of each alphabet. The complement of a base stands as far from the end as the base from the beginning.
LETTERS = {"dna": "ACGT", "rna": "ACGU", "protein": "ACDEFGHIKLMNOPQRSTUVWY"}
# What each ambiguity code of IUPAC stands for: Cornish-Bowden 1985 for bases, IUPAC-IUB 1984 for amino acids.
BASES = {
    "R": "AG",
    "Y": "CT",
    "S": "CG",
    "W": "AT",
    "K": "GT",
    "M": "AC",
    "B": "CGT",
    "D": "AGT",
    "H": "ACT",
    "V": "ACG",
    "N": "ACGT",
}
AMBIGUOUS = {
    "dna": BASES,
    "rna": {code: letters.replace("T", "U") for code, letters in BASES.items()},
    "protein": {"B": "DN", "Z": "EQ", "J": "IL", "X": LETTERS["protein"]},
}
STRANDED = ("dna", "rna")
ACCEPT, REFUSE = "accept", "refuse"
MOST_LETTERS = 100
AROUND = 10  # letters on each side of a wrong one that a message shows


@dataclass
class SequenceColumn(ColumnConfig):
    """`alphabet` is `dna`, `rna` or `protein`; `letters` are other letters instead, of which lower case is read as
    upper case too. `ambiguous` says whether codes for several letters, such as N for any base, are accepted or refused.
    """

    alphabet: str = "dna"
    letters: str = ""
    ambiguous: str = ACCEPT

    def check(self) -> None:
        one_of("alphabet", self.alphabet, tuple(LETTERS))
        one_of("ambiguous", self.ambiguous, (ACCEPT, REFUSE))
        good = self.letters.isascii() and self.letters.isprintable() and " " not in self.letters
        once = len(set(self.letters.upper())) == len(self.letters) <= MOST_LETTERS
        check(good and once, "letters", self.letters, f"{MOST_LETTERS} ASCII letters or signs at most, each once")


def letters_of(config: SequenceColumn) -> str:
    """The letters of a column's alphabet, without those that stand for several of them."""
    return config.letters.upper() or LETTERS[config.alphabet]


def ambiguous_of(config: SequenceColumn) -> dict[str, str]:
    """What each accepted letter stands for that is no letter of the alphabet."""
    return {} if config.letters or config.ambiguous == REFUSE else AMBIGUOUS[config.alphabet]


class Sequence(Type):
    config = SequenceColumn
    expected = "a sequence of letters of its alphabet"
    examples = ("ACGT", "GG", "TTACN")
    near_copy = "the strand (each is the reverse complement of the other)"

    def storage(self, config: Any) -> pa.DataType:
        return pa.string()

    def parse(self, text: pa.StringArray, config: SequenceColumn) -> Parsed:
        """Blanks around a sequence are padding. NA is refused although N and A are bases, because it so often stands
        for a missing value."""
        letters = pc.ascii_upper(pc.ascii_trim_whitespace(text))
        good = pc.match_substring_regex(letters, f"^[{_escaped(config)}]+$")
        doubtful = pc.is_in(pc.ascii_trim_whitespace(text), pa.array(DOUBTFUL))
        bad = pc.and_(pc.or_(pc.invert(good), doubtful).fill_null(False), text.is_valid())
        return refused_where(letters, bad.to_numpy(zero_copy_only=False))

    def convert(self, values: pa.Array, config: SequenceColumn) -> Parsed | None:
        return None

    def digest(self, values: pa.Array) -> NDArray[np.uint64]:
        return text_digests(values)

    def alike(self, values: pa.Array, config: SequenceColumn) -> Digests | None:
        """A sequence and its reverse complement have the digest of the first of both by the alphabet."""
        if config.letters or config.alphabet not in STRANDED:
            return None
        texts = values.to_pylist()
        first = [text and min(text, reverse_complement(text, config.alphabet)) for text in texts]
        return text_digests(pa.array(first, pa.string()))

    def shown(self, found: str, config: SequenceColumn) -> str:
        """With the first letter that is not in the alphabet, and its position from 1 on."""
        place = wrong_place(found.strip(), config)
        if place is None or found.strip() in DOUBTFUL:
            return shown(found)
        text = found.strip()
        around = text[max(0, place - AROUND) : place + AROUND + 1]
        return f"{text[place]!r} at position {place + 1}, in {around!r}"

    def advice(self, found: str, config: SequenceColumn) -> str:
        if found.strip() in DOUBTFUL:
            return doubtful(found)
        name = config.alphabet if not config.letters else "the column's alphabet"
        others = f", and {''.join(ambiguous_of(config))} for several of them" if ambiguous_of(config) else ""
        return f"The letters of {name} are {letters_of(config)}{others}.{_other_setting(found.strip(), config)}"


def wrong_place(text: str, config: SequenceColumn) -> int | None:
    """The place, from 0 on, of the first letter that is not in the alphabet; None if there is none."""
    found = re.search(f"[^{_escaped(config)}]", text.upper() if text.isascii() else text)
    return found.start() if found else None


def _other_setting(text: str, config: SequenceColumn) -> str:
    """The setting with which a sequence would be accepted, as a sentence; empty if there is none."""
    if config.letters:
        return ""
    for name in (config.alphabet, *LETTERS):
        if wrong_place(text, SequenceColumn("sequence", alphabet=name)) is None:
            return " Set ambiguous: accept." if name == config.alphabet else f" Set alphabet: {name}."
    return ""


def _escaped(config: SequenceColumn) -> str:
    """The accepted letters as the inside of a character class of a regular expression."""
    return "".join(re.escape(letter) for letter in [*letters_of(config), *ambiguous_of(config)])


def reverse_complement(text: str, alphabet: str) -> str:
    """The other strand, in the direction in which it is read."""
    return text.translate(COMPLEMENTS[alphabet])[::-1]


def _complements(alphabet: str) -> dict[int, str]:
    """The complement of each letter. That of an ambiguous one stands for the complements of its letters."""
    of_base = dict(zip(LETTERS[alphabet], reversed(LETTERS[alphabet]), strict=True))
    codes = {letters: code for code, letters in AMBIGUOUS[alphabet].items()}
    pairs = dict(of_base)
    for code, letters in AMBIGUOUS[alphabet].items():
        pairs[code] = codes["".join(sorted(of_base[letter] for letter in letters))]
    return str.maketrans(pairs)


COMPLEMENTS = {alphabet: _complements(alphabet) for alphabet in STRANDED}
