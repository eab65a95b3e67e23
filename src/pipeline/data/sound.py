"""Recordings: from the bytes of a file, or a list of samples, to one form, and from that form to samples.

That form is a WAV file of one channel with whole numbers of 16 bits. Its bytes depend on the samples alone, not on the
version of a library, and anything plays it. A FLAC file would take about two thirds of the space.
"""

import hashlib
import io
import struct
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Samples = NDArray[np.float64]
BITS = 16  # of a stored sample
LARGEST = 2 ** (BITS - 1)
HEAD = 60  # bytes of a stored recording before its samples
MARK_AT = slice(36, 40)  # of its bytes: which mark tells how it was made
MADE, MADE_OF_CLIPPED = b"made", b"madc"
CUT_OFF = "it ends too early; get the file anew"
# An hour of silence is a few bytes in a FLAC file, and gigabytes in memory. Samples are counted in all channels.
MOST_SECONDS, MOST_SAMPLES = 600, 600 * 2 * 48_000
UNKNOWN = 2**63 - 1  # what libsndfile says of a FLAC file that does not say how long it is
SILENT = 1e-3  # a recording without any sample beyond this share of full scale is silent
TRIMMED = 1e-2  # before and after the first and last sample beyond this share of its largest one, a recording is silent
CLIPPED_RUN = 3  # as many samples in a row at full scale are no chance
EIGHT_BITS = ("PCM_S8", "PCM_U8")


class BadSound(ValueError):
    """Its text says, in words, what is wrong with a recording."""


class Sound(NamedTuple):
    """Samples (T,) from -1 to 1, how many of them there are in a second, and whether they were cut off at full scale
    when they were recorded, which neither the mean of channels nor another rate shows any more."""

    samples: Samples
    rate: int
    clipped: bool


def decoded(content: bytes) -> Sound:
    """The sound in a file, as the mean of its channels. Raises BadSound."""
    import soundfile

    if not content:
        raise BadSound("a file of 0 bytes")
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            rate, frames = file.samplerate, file.frames
            check_length(frames, rate, file.channels)
            bits = 8 if file.subtype in EIGHT_BITS else BITS
            channels = file.read(dtype="float64", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError) as error:
        found = CUT_OFF if lacking(content) else f"no readable sound file (it begins with {content[:12]!r})"
        raise BadSound(found) from error
    if lacking(content) or len(channels) < frames:
        raise BadSound(CUT_OFF)
    return Sound(checked(channels.mean(axis=1)), rate, is_clipped(channels, bits))


def check_length(frames: int, rate: int, channels: int) -> None:
    """Raise BadSound for a file that would take too much memory."""
    if frames == UNKNOWN:
        raise BadSound("a file that does not say how long it is, as a program writes it to a pipe: write it anew")
    if frames > MOST_SECONDS * rate:
        raise BadSound(f"{frames / rate:,.0f} seconds, expected at most {MOST_SECONDS}: cut it into pieces")
    if (number := frames * channels) > MOST_SAMPLES:
        raise BadSound(f"{number:,} samples in all channels, expected at most {MOST_SAMPLES:,}: cut it into pieces")


def lacking(content: bytes) -> bool:
    """Whether the bytes of a WAV or OGG file end before the file says that it does. soundfile says nothing of that."""
    if content[:4] == b"RIFF":
        place = 12
        while place + 8 <= len(content):
            name, size = content[place : place + 4], int.from_bytes(content[place + 4 : place + 8], "little")
            if name == b"data":
                # A program that writes to a pipe does not know the size, and puts the greatest one there.
                return size < 2**32 - 2**16 and place + 8 + size > len(content)
            place += 8 + size + size % 2
        return False
    # The last page of a stream has the flag 4. A file may end before the flags of its last page.
    flags = content[content.rfind(b"OggS") + 5 :][:1] or b"\0"
    return content[:4] == b"OggS" and not flags[0] & 4


def checked(samples: Samples) -> Samples:
    if not len(samples):
        raise BadSound("no samples")
    if not np.isfinite(samples).all():
        raise BadSound("samples that are NaN or infinite")
    return samples


def of_numbers(numbers: NDArray[Any], rate: int) -> Sound:
    """The sound of samples (T,) of a rate: of fractions from -1 to 1, or of whole numbers of 16 bits, which their type
    or a sample beyond 1 tells. Raises BadSound."""
    if numbers.dtype.kind not in "iuf":
        raise BadSound("a list that holds something else than numbers")
    samples = checked(numbers.astype(np.float64))
    if (largest := np.abs(samples).max()) <= 1 and numbers.dtype.kind == "f":
        return Sound(samples, rate, is_clipped(samples[:, np.newaxis]))
    if largest > LARGEST or (samples != np.rint(samples)).any():
        raise BadSound(f"a sample of {largest:g}, expected fractions from -1 to 1, or whole numbers of 16 bits")
    samples /= LARGEST
    return Sound(samples, rate, is_clipped(samples[:, np.newaxis]))


@dataclass(frozen=True)
class Form:
    """How recordings are stored: with so many samples in a second (`rate`), the first `most` of them, without silence
    at both ends if `trim`. A recording that is silent throughout is refused, unless `silence`."""

    rate: int
    most: int
    trim: bool
    silence: bool

    def head(self, mark: bytes) -> bytes:
        """How a stored recording begins, after its size. A chunk that other programs skip tells what was done to it, so
        that nobody does it twice; the name of the chunk is one of two marks."""
        what = f"{self.rate} {self.most} {self.trim}{' silence' if self.silence else ''}"
        done = hashlib.blake2b(what.encode(), digest_size=8).digest()
        described = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, self.rate, 2 * self.rate, 2, BITS)
        return b"WAVE" + described + struct.pack("<4sI", mark, len(done)) + done + b"data"

    def stored(self, sound: Sound) -> bytes:
        """A sound as it is stored. Raises BadSound for a silent recording."""
        samples = sound.samples
        if sound.rate != self.rate:
            import soxr

            samples = soxr.resample(samples, sound.rate, self.rate, quality="HQ")
            if not len(samples):
                raise BadSound("too few samples to resample")
        sizes = np.abs(samples)
        largest = sizes.max()
        if largest <= SILENT and not self.silence:
            raise BadSound(f"silence: no sample is beyond {SILENT:g} of full scale")
        if self.trim and largest:
            loud = np.flatnonzero(sizes > TRIMMED * largest)
            samples = samples[loud[0] : loud[-1] + 1]
        whole: bytes = np.clip(np.rint(samples[: self.most] * LARGEST), -LARGEST, LARGEST - 1).astype("<i2").tobytes()
        head = self.head(MADE_OF_CLIPPED if sound.clipped else MADE)
        return b"RIFF" + struct.pack("<I", len(head) + 4 + len(whole)) + head + _size(whole) + whole

    def is_stored(self, content: bytes) -> bool:
        """Whether `stored` has made these bytes, and all of them are there."""
        size = len(content) - HEAD
        good = 0 < size <= 2 * self.most and size % 2 == 0
        mark = content[MARK_AT]
        made = mark in (MADE, MADE_OF_CLIPPED) and content[8 : HEAD - 4] == self.head(mark)
        return good and made and content[HEAD - 4 : HEAD] == struct.pack("<I", size)


def _size(content: bytes) -> bytes:
    return struct.pack("<I", len(content))


def stored_samples(values: pa.Array) -> list[NDArray[np.int16]]:
    """The whole numbers (T,) of each stored recording; none where one is missing."""
    return [
        np.frombuffer(content, "<i2", offset=HEAD) if content else np.zeros(0, np.int16)
        for content in (value.as_buffer() if value.is_valid else b"" for value in values)
    ]


def padded(values: pa.Array, length: int) -> NDArray[np.float32]:
    """Stored recordings as (N, length) from -1 to 1, with silence after each."""
    found = np.zeros((len(values), length), np.float32)
    for row, samples in zip(found, stored_samples(values), strict=True):
        row[: len(samples)] = samples
    found /= LARGEST
    return found


def is_clipped(channels_TC: Samples, bits: int = BITS) -> bool:
    """Whether samples of a channel in a row are as large as so many bits allow, which a microphone never gives."""
    full = 1 - 2.0 ** (1 - bits) - 0.5 / LARGEST
    if max(channels_TC.max(initial=0.0), -channels_TC.min(initial=0.0)) < full:
        return False
    at_full = (channels_TC >= full) | (channels_TC <= -full)
    runs = at_full[: len(at_full) - CLIPPED_RUN + 1].copy()
    for i in range(1, CLIPPED_RUN):
        runs &= at_full[i : i + len(runs)]
    return bool(runs.any())


def num_clipped(values: pa.Array) -> int:
    """How many stored recordings were clipped before they were stored."""
    return sum(value.is_valid and bytes(value.as_buffer()[MARK_AT]) == MADE_OF_CLIPPED for value in values)


def sound_digest(content: Any) -> int:
    """A digest of a stored recording, which is the same for the same samples, clipped or not."""
    whole = memoryview(content)
    digest = hashlib.blake2b(whole[: MARK_AT.start], digest_size=8)
    digest.update(MADE)
    digest.update(whole[MARK_AT.stop :])
    return int.from_bytes(digest.digest(), "little")
