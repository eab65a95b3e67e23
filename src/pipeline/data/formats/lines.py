"""Files of text as blocks of whole lines in UTF-8, whatever their encoding and compression."""

import codecs
from collections.abc import Iterator
from itertools import chain

import pyarrow as pa

from pipeline.data.formats.encodings import is_utf_8, marked
from pipeline.data.formats.rows import TableFile, cannot_read
from pipeline.errors import DataError

BLOCK = 4 * 2**20  # bytes
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
# What files begin with that are no text: their name, and what to do.
OTHERS = {
    b"\x1f\x8b": ("a gzip file", "Let its name end with .gz."),
    b"\x28\xb5\x2f\xfd": ("a Zstandard file", "Let its name end with .zst."),
    b"PK\x03\x04": ("a zip or Excel file", "Save it as CSV."),
    b"PAR1\x15": ("a Parquet file", "Set format: parquet."),
    b"ARROW1\x00": ("an Arrow file", "Set format: arrow."),
}


def line_blocks(file: TableFile, encoding: str, size: int | None = None, checked: bool = True) -> Iterator[bytes]:
    """The text of a file in UTF-8, in blocks of whole lines. Each block ends with a line break, and the file's byte
    order mark is left out.

    Raises DataError for an empty file, and for one that is not text in this encoding. Whoever looks at each line does
    not need it `checked`: a line that is no text is no UTF-8 then (encodings.py).
    """
    before, rest = 0, b""
    decoded = _decoded(file, encoding, size or BLOCK) if checked else _unchecked(file, encoding, size or BLOCK)
    for part in chain(decoded, [None]):
        chunk = part if part is not None else b"\n" if rest else b""  # the last line may lack its end
        if end := chunk.rfind(b"\n") + 1:
            block, rest = b"".join((rest, memoryview(chunk)[:end])), chunk[end:]
            if checked:
                _check_text(file, block, before, encoding)
            before += len(block)
            yield block
        else:
            rest += chunk


def _decoded(file: TableFile, encoding: str, size: int) -> Iterator[bytes]:
    """The chunks of a file, in UTF-8. Those of a file in UTF-8 are not looked at."""
    decoder = None if is_utf_8(encoding) else codecs.getincrementaldecoder(encoding)()
    lines = 0
    for i, chunk in enumerate(_started(file, encoding, size)):
        if decoder is None:
            text = chunk
        else:
            try:
                text = decoder.decode(chunk).encode()
            except UnicodeError as error:
                start = error.start if isinstance(error, UnicodeDecodeError) else 0
                line = lines + chunk[:start].decode(encoding, "ignore").count("\n") + 1 if start else lines + 1
                reason = error.reason if isinstance(error, UnicodeDecodeError) else str(error)
                raise DataError(f"{file.name}: line {line} is not {encoding} ({reason}). Set encoding.") from error
            lines += text.count(b"\n")
        yield text.removeprefix(codecs.BOM_UTF8) if i == 0 else text
    if decoder is not None and decoder.getstate()[0]:
        raise DataError(f"{file.name}: not {encoding}: it ends within a character. It may be cut off; get it anew.")


def _unchecked(file: TableFile, encoding: str, size: int) -> Iterator[bytes]:
    """The chunks of a file, in UTF-8 where they are text, without its byte order mark."""
    found = _started(file, encoding, size)
    try:
        for i, chunk in enumerate(found if is_utf_8(encoding) else marked(found, encoding)):
            yield chunk.removeprefix(codecs.BOM_UTF8) if i == 0 else chunk
    except UnicodeError as error:  # such as UTF-16 without the mark that tells the order of its bytes
        raise DataError(f"{file.name}: not {encoding} ({error}). Set encoding.") from error


def _started(file: TableFile, encoding: str, size: int) -> Iterator[bytes]:
    """The bytes of a file, some at a time. Raises DataError where they begin as those of another kind of file do."""
    for i, chunk in enumerate(chunks(file, size)):
        if i == 0:
            _check_start(file, chunk, encoding)
        yield chunk


def chunks(file: TableFile, size: int) -> Iterator[bytes]:
    """The bytes of a file, some at a time, and decompressed. Raises DataError for an empty file."""
    compression = COMPRESSIONS.get(file.path.suffix.lower())
    try:
        with pa.input_stream(file.source(), compression=compression) as stream:
            chunk = stream.read(size)
            if not chunk:
                raise DataError(f"{file.name}: empty, expected rows.")
            while chunk:
                yield chunk
                chunk = stream.read(size)
    except FileNotFoundError as error:
        raise DataError(f"{file.name}: not found.") from error
    except (OSError, pa.ArrowInvalid) as error:
        raise cannot_read(file, f"{compression} file" if compression else "file", error) from error


def _check_start(file: TableFile, chunk: bytes, encoding: str) -> None:
    for start, (what, advice) in OTHERS.items():
        if chunk.startswith(start):
            raise DataError(f"{file.name}: found {what}, expected text. {advice}")
    if codecs.lookup(encoding).name.startswith(("utf-16", "utf-32")):
        return
    if chunk.startswith(codecs.BOM_UTF8) and not is_utf_8(encoding):
        raise DataError(
            f"{file.name}: found the byte order mark of UTF-8, expected {encoding}. Leave encoding out, or set "
            "encoding: utf-8."
        )
    if found := wide_encoding(chunk):
        name = found[:6].upper()
        raise DataError(f"{file.name}: found {name}, expected {encoding}. Set encoding: {found}.")


def wide_encoding(start: bytes) -> str | None:
    """The encoding of a file that begins so, where a character takes two bytes or four; None for all others."""
    if start[:4] in (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE):  # the first is that of UTF-16 and two zeros
        return "utf-32"
    if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    if b"\0" in start[:2]:
        return "utf-16-be" if start[0] == 0 else "utf-16-le"
    return None


def _check_text(file: TableFile, block: bytes, before: int, encoding: str) -> None:
    """Raise DataError unless a block, with so many bytes before it, is UTF-8."""
    if block.isascii():
        return
    try:
        block.decode()
    except UnicodeDecodeError as error:
        line = _line_breaks(file, encoding, before) + block.count(b"\n", 0, error.start) + 1
        around = block[max(block.rfind(b"\n", 0, error.start) + 1, error.start - 20) : error.start + 10]
        near = around.split(b"\n")[0].decode("latin-1").strip()
        raise DataError(
            f"{file.name}: line {line} is not {encoding}: found the byte 0x{block[error.start]:02x} in {near!r}, as "
            "latin-1 shows it. Set encoding, such as latin-1 or cp1252."
        ) from error


def _line_breaks(file: TableFile, encoding: str, length: int) -> int:
    """How many line breaks there are in so many bytes at the start of a file. It is read again, because counting them
    all the time would take longer."""
    breaks = 0
    for chunk in _decoded(file, encoding, BLOCK):
        if length <= 0:
            break
        breaks += chunk.count(b"\n", 0, length)
        length -= len(chunk)
    return breaks
