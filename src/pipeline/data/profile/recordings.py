"""Recordings: how long and how loud they are, and log-mel spectrograms of the first of each class."""

import numpy as np
import pyarrow as pa
from markupsafe import Markup
from numpy.typing import NDArray

from pipeline.config.audio import AudioFeaturesConfig
from pipeline.data.profile.drawing import histogram, picture
from pipeline.data.profile.loudness import loudness
from pipeline.data.profile.view import View
from pipeline.data.sound import stored_samples
from pipeline.data.spectrogram import Spectrogram
from pipeline.data.types.audio import AudioColumn, samples_of

RECORDINGS_OF_CLASS = 5
MELS, MOST_FRAMES = 40, 96
FLOOR = 1e-9  # of energies: so low that the range below decides what is dark
RANGE = np.log(1e4)  # between the loudest place of a recording and what is black: 40 dB
LEVELS = 32  # Few colours make small files, and rounding in another processor's logarithm does not change them.
# red, green, blue from quiet to loud, between which the colours lie; dark is quiet for those who see no colours, too
COLOURS = np.array([[0, 0, 4], [81, 18, 124], [183, 55, 121], [252, 137, 97], [252, 253, 191]])


def audio(view: View) -> Markup:
    config = view.column.config
    assert isinstance(config, AudioColumn)
    train, test = (loudness(values, config).numbers for values in view.both())
    shown = [
        Markup("<p>{}</p>").format(told) + histogram(train[name], test[name])
        for name, told in (
            ("seconds", "seconds"),
            ("peak", "largest sample, of full scale"),
            ("level", "root of the mean square of the samples, of full scale"),
        )
    ]
    for name, values in view.by_class(RECORDINGS_OF_CLASS):
        drawn = [picture(pixels, name, colours()) for pixels in spectrograms(values, config)]
        shown.append(Markup('<p>{}</p><div class="pictures sounds">{}</div>').format(name, Markup("").join(drawn)))
    return Markup("").join(shown)


def spectrograms(values: pa.ChunkedArray, config: AudioColumn) -> list[NDArray[np.uint8]]:
    """The levels (MELS, frames) of each recording, as wide as it is long; none of recordings that are too short."""
    hop = max(10.0, 1000 * config.seconds / MOST_FRAMES)
    features = AudioFeaturesConfig(mels=MELS, hop_ms=hop, window_ms=2.5 * hop, level=False, floor=FLOOR)
    spectrogram = Spectrogram(features, config.rate, config.samples)
    if spectrogram.used <= spectrogram.fft // 2:
        return []
    drawn = []
    for value in values:  # one at a time, since spectra are many times as large as recordings
        recording = pa.array([value.as_py()], pa.binary())
        (length,) = map(len, stored_samples(recording))
        (values_FM,) = spectrogram.of(samples_of(recording, config))
        drawn.append(levels(values_FM[: length // spectrogram.hop + 1]))
    return drawn


def levels(values_FM: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Log energies (frames, mels) as LEVELS levels (mels, frames), with low frequencies below."""
    top = max(float(values_FM.max()), np.log(FLOOR) + RANGE)  # so that silence is dark
    heights = 1 + (values_FM - top) / RANGE
    return np.ascontiguousarray(np.rint(heights.clip(0, 1) * (LEVELS - 1)).astype(np.uint8).T[::-1])


def colours() -> NDArray[np.uint8]:
    """The colour (LEVELS, 3) of each level."""
    at = np.linspace(0, len(COLOURS) - 1, LEVELS)
    return np.stack([np.rint(np.interp(at, range(len(COLOURS)), part)) for part in COLOURS.T], axis=1).astype(np.uint8)
