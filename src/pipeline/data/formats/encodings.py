"""Text in another encoding than UTF-8, of which some bytes may be none. What is wrong is told of each line."""

import codecs
from collections.abc import Iterator

UTF_8 = ("utf-8", "utf-8-sig")
MARK, FIRST_MARK = "pipeline.mark", 0xDC00  # how bytes that are no text are marked, and the surrogates that mark them


def is_utf_8(encoding: str) -> bool:
    return codecs.lookup(encoding).name in UTF_8


def marked(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """The chunks of a text, in UTF-8. Where bytes are no text in this encoding, a surrogate stands that holds the first
    of them. UTF-8 has no surrogates, so a line with one is no UTF-8."""
    codecs.register_error(MARK, _mark)
    decoder = codecs.getincrementaldecoder(encoding)(errors=MARK)
    for chunk in chunks:
        yield decoder.decode(chunk).encode("utf-8", "surrogatepass")
    yield decoder.decode(b"", final=True).encode("utf-8", "surrogatepass")


def _mark(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return chr(FIRST_MARK + error.object[error.start]), error.end


def wrong_byte(line: bytes) -> int | None:
    """The first byte that was no text before a line was `marked`, None if there was none."""
    marks = (ord(sign) - FIRST_MARK for sign in line.decode("utf-8", "surrogatepass"))
    return next((mark for mark in marks if 0 <= mark < 256), None)
