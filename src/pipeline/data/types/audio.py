"""Recordings: sounds of some length, brought to one rate and one channel.

That is done when they are read, by the same code for training and serving. They are stored as samples, because Keras
has no layer that decodes a file.
"""

import base64
import binascii
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.config import ColumnConfig
from pipeline.config.checks import check, one_of
from pipeline.data.sound import (
    BadSound,
    Form,
    Sound,
    decoded,
    num_clipped,
    of_numbers,
    padded,
    sound_digest,
    stored_samples,
)
from pipeline.data.types.type import FileContent, Parsed, Type, is_bytes


@dataclass
class AudioColumn(ColumnConfig):
    """`rate` is the number of samples in a second; recordings of another rate are resampled. The first `seconds` of a
    recording are used, and a shorter one is followed by silence. With `trim`, silence at both ends is left out first
    (what is below a hundredth of the recording's largest sample). A recording that is silent throughout is refused,
    unless `silence` is `accept`."""

    rate: int = 16000
    seconds: float = 1.0
    trim: bool = False
    silence: str = "refuse"

    def check(self) -> None:
        check(1000 <= self.rate <= 384_000, "rate", self.rate, "1000 to 384000 samples in a second")
        check(0 < self.seconds <= 60, "seconds", self.seconds, "more than 0, at most 60")
        one_of("silence", self.silence, ("refuse", "accept"))

    @property
    def samples(self) -> int:
        """How many samples a model takes."""
        return max(1, round(self.rate * self.seconds))

    @property
    def form(self) -> Form:
        """How recordings are stored."""
        return Form(self.rate, self.samples, self.trim, self.silence == "accept")


class Audio(Type):
    """A recording is stored as a WAV file of one channel and 16 bits. Raw, it is the bytes of a file that soundfile
    reads (as text, they are written in base64), or a list of samples of the column's rate."""

    config = AudioColumn
    expected = "a recording"
    files = FileContent((".wav", ".flac", ".ogg"))
    is_content = True
    packages = ("soundfile", "soxr")

    def storage(self, config: AudioColumn) -> pa.DataType:
        return pa.binary()

    def value_bytes(self, config: AudioColumn) -> int:
        # as float32, and its spectrogram, whose windows overlap
        return 16 * config.samples

    def parse(self, text: pa.StringArray, config: AudioColumn) -> Parsed:
        return _each(text.to_pylist(), lambda value: decoded(_of_base64(value)), config)

    def convert(self, values: pa.Array, config: AudioColumn) -> Parsed | None:
        kind = values.type
        if is_bytes(kind):
            return _each((value.as_py() for value in values), decoded, config)
        if not (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)):
            return None
        numbers = (value.values.to_numpy(zero_copy_only=False) if value.is_valid else None for value in values)
        return _each(numbers, lambda value: of_numbers(value, config.rate), config)

    def digest(self, values: pa.Array) -> NDArray[np.uint64]:
        return np.array([sound_digest(value.as_buffer() or b"") for value in values], np.uint64)

    def remarks(self, values: pa.Array, config: AudioColumn) -> dict[str, int]:
        found = stored_samples(values)
        return {
            "are clipped": num_clipped(values),
            f"fill all of the {config.seconds:g} s, and what is longer is cut": sum(
                len(samples) == config.samples for samples in found
            ),
        }


def samples_of(values: pa.Array, config: AudioColumn) -> NDArray[np.float32]:
    """Stored recordings as samples (N, T) from -1 to 1, with silence after those that are shorter."""
    return padded(values, config.samples)


def _each(raw: Iterable[Any], read: Callable[[Any], Sound], config: AudioColumn) -> Parsed:
    """Each raw value, of which `read` gives the sound, in its storage."""
    form = config.form
    stored: list[bytes | None] = []
    reasons: dict[int, str] = {}
    for i, value in enumerate(raw):
        stored.append(None)
        if value is None:
            continue
        if isinstance(value, bytes) and form.is_stored(value):
            stored[i] = value
            continue
        try:
            stored[i] = form.stored(read(value))
        except BadSound as error:
            reasons[i] = str(error)
    refused = np.zeros(len(stored), bool)
    refused[list(reasons)] = True
    return Parsed(pa.array(stored, pa.binary()), refused, reasons)


def _of_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadSound(f"a text that is no sound file in base64 ({text[:20]!r})") from error
