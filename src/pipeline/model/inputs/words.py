"""The words, characters or bytes of a text, as Keras' TextVectorization finds them."""

import re
import string

import numpy as np

from pipeline.config import TextFeaturesConfig

# the letters that become lower case, the signs that are dropped, and the white space at which a text is split
LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
PUNCTUATION = re.compile(r"[!\"#$%&()*+,\-./:;<=>?@\[\\\]^_`{|}~']")
SPACE = re.compile(r"[ \t\n\r\f\v]+")
BYTES = "bytes"  # the unit
BYTE_0 = "\u0100"


def of_bytes(text: str) -> str:
    """A text in which a character stands for each byte of this text in UTF-8: the one that has its number, so that the
    letters A to Z stay what they are. That of byte 0 would end a text in NumPy, so another one stands for it."""
    return text.encode().decode("latin-1").replace("\0", BYTE_0)


def units(text: str, config: TextFeaturesConfig) -> list[str]:
    """The words, characters or bytes of a text, as Keras' TextVectorization finds them."""
    text = of_bytes(text) if config.unit == BYTES else text
    text = text.translate(LOWER) if config.lower else text
    text = PUNCTUATION.sub("", text) if config.drops_punctuation else text
    return [word for word in SPACE.split(text) if word] if config.unit == "words" else list(text)


def grams(units: list[str], longest: int) -> list[str]:
    """All sequences of up to so many words, characters or bytes."""
    return [" ".join(units[i : i + n]) for n in range(1, longest + 1) for i in range(len(units) - n + 1)]


def rarity(num_rows: int, num_texts: int) -> float:
    """ln((1 + N) / (1 + n)) + 1 for what n of N texts have, as in scikit-learn."""
    return float(np.log((1 + num_rows) / (1 + num_texts)) + 1)
