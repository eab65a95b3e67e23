"""Text of any length. Unlike a category, each row may have its own."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any
from unicodedata import normalize

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.config import ColumnConfig
from pipeline.config.checks import check, one_of
from pipeline.data.digests import text_digests
from pipeline.data.types.markers import are_stored
from pipeline.data.types.type import (
    NULL_CHARACTER,
    FileContent,
    Parsed,
    Type,
    is_bytes,
    none_refused,
    null_reasons,
    refused_where,
    shown,
    with_null_character,
)

FORMS = ("none", "NFC", "NFD", "NFKC", "NFKD")
CHOICES = ("keep", "remove")
MOST_PASSES = 5
NULL_ADVICE = 'Take it out of the file, or out of each text with replace: {"\\\\x00": ""}.'


@dataclass
class TextColumn(ColumnConfig):
    """How a text is brought to one form before anything else, in training and serving alike. Texts of one form are
    equal, so none of them is trained on while another one is tested. Without options a text stays as it is.

    `unicode` is a normal form of Unicode (NFC, NFD, NFKC or NFKD). With `accents: remove`, é becomes e. With
    `lower: true`, all letters become lower case. `replace` has regular expressions (RE2) and what stands in their
    place, in their order: `{"[0-9]": "0"}` leaves of a number how long it is. All of it is done until it changes
    nothing any more, so that rows that come from prepared data stay as they are. The empty text is a text.
    """

    unicode: str = "none"
    accents: str = "keep"
    lower: bool = False
    replace: dict[str, str] = field(default_factory=dict)

    def check(self) -> None:
        one_of("unicode", self.unicode, FORMS)
        one_of("accents", self.accents, CHOICES)
        for pattern, text in self.replace.items():
            try:
                pc.replace_substring_regex(pa.array([""]), pattern, text)
            except pa.ArrowInvalid as error:
                check(False, f"replace: {pattern!r}", " ".join(str(error).split()), "a regular expression of RE2")


class Text(Type):
    config = TextColumn
    expected = "a text"
    examples = ("a", "b", "a b")
    near_copy = "case, white space, digits or Unicode form"
    files = FileContent((".txt",))

    def storage(self, config: TextColumn) -> pa.DataType:
        return pa.string()

    def parse(self, text: pa.StringArray, config: TextColumn) -> Parsed:
        plain = config == TextColumn(config.type, config.missing)
        formed = none_refused(text) if plain else _formed(text, config)
        if not (null := with_null_character(formed.values)).any():
            return formed
        reasons = {**formed.reasons, **null_reasons(formed.values)}
        return dataclasses.replace(refused_where(formed.values, formed.refused | null), reasons=reasons)

    def convert(self, values: pa.Array, config: TextColumn) -> Parsed | None:
        """Bytes are text in UTF-8. Nothing else is text: a number has lost how it was written."""
        if not is_bytes(values.type):
            return None
        found, formed = decoded(values), self.parse(decoded(values).values, config)
        return Parsed(formed.values, found.refused | formed.refused, {**found.reasons, **formed.reasons})

    def marked(self, values: pa.Array, missing: pa.StringArray, config: TextColumn) -> pa.BooleanArray:
        """Of stored texts, since those of one form are equal."""
        return are_stored(values, self.parse(missing, config).values)

    def advice(self, found: str, config: TextColumn) -> str:
        return NULL_ADVICE if NULL_CHARACTER in found else ""

    def digest(self, values: pa.Array) -> NDArray[np.uint64]:
        return text_digests(values)

    def alike(self, values: pa.Array, config: TextColumn) -> NDArray[np.uint64]:
        """Texts are alike in which case, white space, numbers and Unicode's ways to write the same make no difference:
        in the form NFKD, in lower case, with one blank for white space, and with 0 for each row of digits."""
        plain = pc.utf8_lower(pc.utf8_normalize(values, form="NFKD"))
        plain = pc.replace_substring_regex(plain, r"[0-9]+", "0")
        return text_digests(pc.utf8_trim_whitespace(pc.replace_substring_regex(plain, r"\s+", " ")))


def _formed(text: pa.StringArray, config: TextColumn) -> Parsed:
    """The texts (N,) as the options of their column say, which is done until it changes nothing any more."""
    found = in_one_form(text, config)
    for _ in range(MOST_PASSES):
        before, found = found, in_one_form(found, config)
        if found.equals(before):
            return none_refused(found)
    refused = pc.fill_null(pc.not_equal(before, found), False).to_numpy(zero_copy_only=False)
    reasons = {
        int(i): f"{shown(text[int(i)].as_py())}, which `replace` changes without end" for i in np.flatnonzero(refused)
    }
    return dataclasses.replace(refused_where(found, refused), reasons=reasons)


def in_one_form(text: pa.StringArray, config: TextColumn) -> pa.StringArray:
    """The texts (N,) as the options of their column say; null stays null."""
    if config.unicode != "none":
        text = _normalized(text, config.unicode)
    if config.accents == "remove":
        # A letter and its accents are apart in the form NFD; \p{Mn} are the accents.
        bare = pc.replace_substring_regex(_normalized(text, "NFD"), r"\p{Mn}", "")
        text = _normalized(bare, "NFC" if config.unicode == "none" else config.unicode)
    if config.lower:
        text = pc.utf8_lower(text)
    for pattern, new in config.replace.items():
        text = pc.replace_substring_regex(text, pattern, new)
    return text


def _normalized(text: pa.StringArray, form: Any) -> pa.StringArray:
    # Arrow's utf8_normalize takes letters apart, and does not put them together again for NFC and NFKC.
    return pa.array([None if one is None else normalize(form, one) for one in text.to_pylist()], pa.string())


def decoded(values: pa.Array) -> Parsed:
    """The texts (N,) that are written in UTF-8. A byte order mark at the start is no part of a text."""
    found = [None if content is None else text_of(content) for content in values.to_pylist()]
    reasons = {i: entry.reason for i, entry in enumerate(found) if isinstance(entry, NoText)}
    texts = [entry if isinstance(entry, str) else None for entry in found]
    refused = np.array([isinstance(entry, NoText) for entry in found], bool)
    return Parsed(pa.array(texts, pa.string()), refused, reasons)


@dataclass(frozen=True)
class NoText:
    """Why bytes are no text, in words."""

    reason: str


def text_of(content: bytes) -> str | NoText:
    if (place := content.find(0)) >= 0:
        return NoText(f"byte {place + 1} is 0x00, which is in no text; it may be UTF-16 or no text at all")
    try:
        return content.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        return NoText(f"not UTF-8, byte {error.start + 1} is 0x{content[error.start]:02x}")
