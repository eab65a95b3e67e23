"""Recordings, as they are read: each form becomes the same samples, and what is none is refused with the reason."""

import base64
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import soundfile

from pipeline.config import ColumnConfig
from pipeline.data.declared import column_config
from pipeline.data.sound import MADE, MADE_OF_CLIPPED, MOST_SECONDS, decoded
from pipeline.data.types.audio import Audio, AudioColumn, samples_of
from pipeline.errors import ConfigError

RATE = 8000
AUDIO, COLUMN = Audio(), AudioColumn("audio", rate=RATE, seconds=0.5)


def tone(seconds: float = 0.25, rate: int = RATE, hertz: float = 440, loudness: float = 0.5) -> np.ndarray:
    return loudness * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)


def file(samples: np.ndarray, rate: int = RATE, kind: str = "WAV", subtype: str | None = None) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, samples, rate, format=kind, subtype=subtype)
    return stream.getvalue()


def without_length(flac: bytes) -> bytes:
    """A FLAC file as a program writes it that does not know how many samples will come: it has 0 for that."""
    return flac[:21] + bytes([flac[21] & 0xF0, 0, 0, 0, 0]) + flac[26:]


def up_to_page_mark(ogg: bytes) -> bytes:
    """An OGG file up to the mark and version of its last page."""
    return ogg[: ogg.rfind(b"OggS") + 5]


def read(*contents: Any, kind: pa.DataType | None = None, **options: Any) -> np.ndarray:
    """The samples (N, T) of values, none of which is refused."""
    column = AudioColumn("audio", **{"rate": RATE, "seconds": 0.5, **options})
    parsed = AUDIO.convert(pa.array(contents, kind), column)
    assert parsed is not None
    assert not parsed.refused.any(), parsed.reasons
    # what is stored may be read again
    again = AUDIO.convert(parsed.values, column)
    assert again is not None
    assert again.values == parsed.values
    return samples_of(parsed.values, column)


def reason(content: Any, kind: pa.DataType | None = None, **options: Any) -> str:
    parsed = AUDIO.convert(pa.array([content], kind), AudioColumn("audio", **{"rate": RATE, "seconds": 0.5, **options}))
    assert parsed is not None
    assert parsed.refused.tolist() == [True]
    assert parsed.values.null_count == 1
    return parsed.reasons[0]


def test_a_recording_in_every_form_is_the_same_samples() -> None:
    whole = np.rint(tone() * 2**15).astype(np.int16)
    stereo = np.stack([whole, whole], axis=1)
    expected = np.pad(whole / np.float32(2**15), (0, RATE // 4))
    for content in (
        file(whole),
        file(whole, kind="FLAC"),
        file(stereo),
        file(whole / 2**15, subtype="PCM_24"),
        file(whole / 2**15, subtype="FLOAT"),
        file(whole / 2**15, kind="AIFF", subtype="PCM_32"),
    ):
        np.testing.assert_array_equal(read(content)[0], expected)
        text = AUDIO.parse(pa.array([base64.b64encode(content).decode(), None]), COLUMN)
        np.testing.assert_array_equal(samples_of(text.values, COLUMN)[0], expected)
        assert text.refused.tolist() == [False, False]
    for values, kind in (
        (whole.tolist(), pa.list_(pa.int16())),
        (whole.tolist(), pa.list_(pa.float32())),  # as a served model may get them
        ((whole / 2**15).tolist(), pa.large_list(pa.float64())),
    ):
        np.testing.assert_array_equal(read(values, kind=kind)[0], expected)
    np.testing.assert_allclose(read(file(whole, kind="OGG"))[0], expected, atol=0.05)


def test_rates_are_brought_to_one() -> None:
    found = read(file(tone(rate=44_100), 44_100), file(tone(rate=16_000), 16_000, subtype="PCM_24"))
    expected = tone()
    for samples in found:
        inner = slice(200, 1800)  # a filter has no samples before the first and after the last one
        np.testing.assert_allclose(samples[: len(expected)][inner], expected[inner], atol=1e-3)
        assert not samples[len(expected) + 1 :].any()
    # what would be heard as a lower tone is left out
    assert np.abs(read(file(tone(rate=44_100, hertz=10_000) + 0.01, 44_100))[0, 200:1800]).max() < 0.02
    np.testing.assert_array_equal(*[read(file(tone(rate=11_025), 11_025)) for _ in range(2)])


def test_the_start_of_a_long_recording_and_all_of_a_trimmed_one() -> None:
    long = np.concatenate([np.zeros(RATE), tone(0.25), np.zeros(RATE)])
    assert not read(file(long), silence="accept").any()
    np.testing.assert_array_equal(read(file(long), trim=True)[0, :1900], read(file(tone()[1:]))[0, :1900])
    column = AudioColumn("audio", rate=RATE, seconds=0.5)
    parsed = AUDIO.convert(pa.array([file(long), file(tone()), file(np.clip(9 * tone(), -1, 1))]), column)
    assert parsed is not None
    assert AUDIO.remarks(parsed.values, column) == {
        "are clipped": 1,
        "fill all of the 0.5 s, and what is longer is cut": 1,
    }


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_U8", "FLOAT"])
def test_clipping_is_found_before_channels_are_mixed_and_resampled(subtype: str) -> None:
    """Of both, the samples at full scale would be gone. That one was clipped makes no other recording of it."""
    whole = tone(rate=44_100)
    loud, quiet = (np.stack([part, 0 * part], axis=1) for part in (np.clip(9 * whole, -1, 1), whole))
    parsed = AUDIO.convert(
        pa.array([file(loud, 44_100, subtype=subtype), file(quiet, 44_100, subtype=subtype)]), COLUMN
    )
    assert parsed is not None
    assert AUDIO.remarks(parsed.values, COLUMN)["are clipped"] == 1
    clipped = parsed.values[0].as_py()
    again = AUDIO.convert(parsed.values, COLUMN)
    assert again is not None
    assert again.values.equals(parsed.values)
    same = pa.array([clipped, clipped.replace(MADE_OF_CLIPPED, MADE)])
    assert len(set(AUDIO.digest(same).tolist())) == 1


def test_one_that_is_shorter_than_any_window_is_followed_by_silence() -> None:
    samples = read(file(tone(0.002)))
    assert samples.shape == (1, COLUMN.samples)
    assert samples[0, :16].any()
    assert not samples[0, 16:].any()


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (lambda: b"Not a sound at all", "no readable sound file (it begins with b'Not a sound ')"),
        (lambda: b"", "a file of 0 bytes"),
        (lambda: file(tone())[:-1000], "it ends too early; get the file anew"),
        (lambda: file(tone(2))[:20], "no readable sound file (it begins with b'RIFF"),
        (lambda: file(tone(2), kind="OGG")[:-2000], "it ends too early; get the file anew"),
        (lambda: file(np.zeros(0)), "no samples"),
        (lambda: file(np.zeros(4000)), "silence: no sample is beyond 0.001 of full scale"),
        (lambda: file(np.array([0.1, np.nan, 0.2]), subtype="FLOAT"), "samples that are NaN or infinite"),
        (lambda: file(np.zeros(1000 * (MOST_SECONDS + 1)), 1000, "FLAC"), "601 seconds, expected at most 600: cut it"),
        (
            lambda: file(np.zeros((7_300_000, 8), np.int16), 655_350, "FLAC"),
            "58,400,000 samples in all channels, expected at most 57,600,000: cut it into pieces",
        ),
        (lambda: without_length(file(tone(), kind="FLAC")), "a file that does not say how long it is"),
        (lambda: up_to_page_mark(file(tone(2), kind="OGG")), "it ends too early; get the file anew"),
    ],
)
def test_what_is_no_recording_says_why(content: Callable[[], bytes], found: str) -> None:
    assert reason(content(), pa.binary()).startswith(found)


def test_a_flac_file_that_is_cut_off_is_refused() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 8 * RATE)
    whole = file(noise, kind="FLAC")
    for size in (len(whole) // 2, len(whole) - 100):
        assert reason(whole[:size]).startswith(("it ends too early; get the file anew", "no readable sound file"))


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([], "no samples"),
        ([0.1, float("nan")], "samples that are NaN or infinite"),
        ([0.5, 70_000.0], "a sample of 70000, expected fractions from -1 to 1, or whole numbers of 16 bits"),
        ([0.5, 1.5], "a sample of 1.5, expected"),
        ([0.0] * 100, "silence"),
    ],
)
def test_lists_that_are_no_recording(values: list[float], found: str) -> None:
    assert reason(values, pa.list_(pa.float64())).startswith(found)


def test_silence_may_be_accepted() -> None:
    for trim in (False, True):
        assert not read(file(np.zeros(100)), silence="accept", trim=trim).any()


def test_whole_numbers_are_of_16_bits_however_small_they_are() -> None:
    for kind in (pa.int16(), pa.int64()):
        found = read([0, 1, -1, 0], kind=pa.list_(kind), silence="accept")
        np.testing.assert_array_equal(found[0, :4] * 2**15, [0, 1, -1, 0])
        assert reason([0, 1, -1, 0], pa.list_(kind)).startswith("silence")


def test_what_looks_like_a_stored_recording_is_read_like_any_other() -> None:
    parsed = AUDIO.convert(pa.array([file(tone())]), COLUMN)
    assert parsed is not None
    (stored,) = parsed.values.to_pylist()
    for cut_off in (stored[:-1], stored[:-100], stored[:62]):
        assert reason(cut_off) == "it ends too early; get the file anew"
    assert reason(stored[:60]).startswith(("it ends too early", "no samples"))
    # what stands behind the samples is no part of them
    np.testing.assert_array_equal(read(stored + b"\0" * 9000), read(stored))
    # a silent one was stored where silence is accepted
    silent = AUDIO.convert(
        pa.array([file(np.zeros(400))]), AudioColumn("audio", rate=RATE, seconds=0.5, silence="accept")
    )
    assert silent is not None
    assert reason(silent.values[0].as_py()).startswith("silence")


def test_other_values_are_no_recordings() -> None:
    assert AUDIO.convert(pa.array([1.0]), COLUMN) is None
    parsed = AUDIO.parse(pa.array(["a.wav", base64.b64encode(b"nothing").decode()]), COLUMN)
    assert parsed.refused.tolist() == [True, True]
    assert parsed.reasons[0] == "a text that is no sound file in base64 ('a.wav')"


def test_a_digest_follows_the_samples() -> None:
    whole = np.rint(tone() * 2**15).astype(np.int16)
    values = AUDIO.convert(pa.array([file(whole), file(whole, kind="FLAC"), file(tone(hertz=441)), None]), COLUMN)
    assert values is not None
    first, same, other, _ = AUDIO.digest(values.values)
    assert first == same != other


def test_what_is_stored_is_a_file_that_anything_plays() -> None:
    parsed = AUDIO.convert(pa.array([file(tone(rate=44_100), 44_100)]), COLUMN)
    assert parsed is not None
    samples, rate, _ = decoded(parsed.values[0].as_py())
    assert rate == RATE
    np.testing.assert_array_equal(samples.astype(np.float32), samples_of(parsed.values, COLUMN)[0, : len(samples)])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rate": 10}, "x.rate: found 10, expected 1000 to 384000 samples in a second."),
        ({"seconds": 0}, "x.seconds: found 0.0, expected more than 0, at most 60."),
        ({"silence": "drop"}, "x.silence: 'drop' is unknown"),
        ({"rates": 8000}, "x: 'rates' is not an option of type audio"),
    ],
)
def test_what_a_column_cannot_be(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        column_config("x", {"type": "audio", **options})
    assert isinstance(column_config("x", "audio"), ColumnConfig)
