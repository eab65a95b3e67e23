"""The list of all that `prepare` refuses of a dataset's rows. It is a file for people, since the error has room for the
first places only.

Whoever refuses values tells them here (`tell_refused`). They are written where somebody asks for the list (`listing`),
and nowhere else: serving and `drift` read values by the same functions, and write nothing.
"""

import csv
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from threading import Lock

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import PipelineError
from pipeline.files import replacing
from pipeline.layout import Layout

HEADER = ("row", "file", "column", "value", "expected")
MOST_CHARACTERS = 1000  # of a value; one may be a text of a megabyte
Line = tuple[object, str, str, str, str]


class _RefusedFile:
    """A CSV file that is made with the first line. It takes its place when `stack` is closed without an error."""

    def __init__(self, layout: Layout, dataset: str, stack: ExitStack) -> None:
        path, root = layout.refused(dataset), layout.root
        self.path, self.shown = path, str(path.relative_to(root) if path.is_relative_to(root) else path)
        self.num_lines, self._closed = 0, False
        self._stack = stack
        # One thread reads rows, and another one looks at those that were read.
        self._lock = Lock()

    def write(self, lines: Iterable[Line]) -> None:
        with self._lock:
            for line in lines if not self._closed else ():
                if not self.num_lines:
                    partial = self._stack.enter_context(replacing(self.path))
                    # The name of a file may be no UTF-8.
                    stream = partial.open("w", encoding="utf-8", errors="backslashreplace", newline="")
                    self._out = csv.writer(self._stack.enter_context(stream), lineterminator="\n")
                    self._out.writerow(HEADER)
                self._out.writerow(line)
                self.num_lines += 1

    def close(self) -> None:
        """Take no lines any more: where one thread has ended with an error, the other may still read."""
        with self._lock:
            self._closed = True


_LIST: ContextVar[_RefusedFile | None] = ContextVar("refused_file", default=None)


@contextmanager
def listing(layout: Layout, dataset: str) -> Iterator[None]:
    """Write what is told in the body into a file of the dataset, which is there afterwards if the body ends with an
    error for the user, and is removed if nothing was told."""
    refusal: PipelineError | None = None
    with ExitStack() as stack:
        found = _RefusedFile(layout, dataset, stack)
        token = _LIST.set(found)
        try:
            yield
        except PipelineError as error:
            refusal = error  # until the file is in its place
        finally:
            found.close()
            _LIST.reset(token)
    if not found.num_lines:
        found.path.unlink(missing_ok=True)
    if refusal is not None:
        raise refusal


def tell_refused(lines: Iterable[Line]) -> None:
    """Put lines into the list, if there is one: a row's number, its file, the column, the value and what was expected,
    each of which may be empty where it is not known."""
    if (found := _LIST.get()) is not None:
        found.write(lines)


def and_more(count: int, num_told: int) -> str:
    """What a message says behind the first `num_told` of so many places, if there are more: where all of them
    are listed, if they are."""
    if count <= num_told:
        return ""
    found = _LIST.get()
    return f"; ...; all of them: {found.shown}" if found is not None and found.num_lines else "; ..."


def as_texts(values: pa.Array) -> list[str]:
    """Values (N,) as the list shows them. Those that are missing, and contents of files, are empty."""
    if pa.types.is_binary(values.type) or pa.types.is_large_binary(values.type):
        return [""] * len(values)
    try:
        texts = values.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        texts = pa.array([str(value) if value.is_valid else None for value in values], pa.string())
    short = pc.binary_join_element_wise(pc.utf8_slice_codeunits(texts, 0, MOST_CHARACTERS), "...", "")
    shown = pc.if_else(pc.greater(pc.utf8_length(texts), MOST_CHARACTERS), short, texts)
    found: list[str] = shown.fill_null("").to_pylist()
    return found
