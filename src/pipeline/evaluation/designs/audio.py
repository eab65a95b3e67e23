"""Recordings: the log-mel spectrum of each of PARTS parts of one."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.config.audio import AudioFeaturesConfig
from pipeline.data.schema import Column
from pipeline.data.sound import padded
from pipeline.data.spectrogram import AT_ONCE, Spectrogram
from pipeline.data.types.audio import AudioColumn
from pipeline.evaluation.designs.design import ColumnDesign, Encoder

Array = NDArray[np.float64]
PARTS = 10  # of a recording
# They stand here in full, so that a new default elsewhere changes no reference.
FEATURES = AudioFeaturesConfig(
    features="log_mel", mels=20, coefficients=13, window_ms=25.0, hop_ms=10.0, level=True, floor=1e-3
)
SAMPLES_AT_ONCE = 2**22  # whose spectra are in memory at a time
LEAST_SIZE = 3920  # with it a reference sees at most 10,000 recordings, since 200 features of each take a while to fit


def size(column: Column) -> int:
    """A recording is kept as samples of 16 bits, which count half. So those of a reference take 600 MB at most."""
    return max(LEAST_SIZE, _config(column).samples // 8)


def spectra(column: Column, train: pa.Array) -> Encoder:
    """The mean of each band in each part of a recording. A short one is followed by silence, as a window needs."""
    config = _config(column)
    window = Spectrogram(FEATURES, config.rate, config.samples).window
    spectrogram = Spectrogram(FEATURES, config.rate, max(config.samples, 2 * window))
    number = max(1, min(AT_ONCE, SAMPLES_AT_ONCE // spectrogram.samples))

    def encode(values: pa.Array) -> Array:
        some = (values.slice(start, number) for start in range(0, len(values), number))
        return np.concatenate([_parts(spectrogram.of(padded(part, spectrogram.samples))) for part in some])

    return encode


def _parts(frames_NFD: NDArray[np.float32]) -> Array:
    parts = np.array_split(frames_NFD, min(PARTS, frames_NFD.shape[1]), axis=1)
    return np.concatenate([part.mean(axis=1, dtype=np.float64) for part in parts], axis=1)


def _config(column: Column) -> AudioColumn:
    assert isinstance(column.config, AudioColumn)
    return column.config


DESIGN = ColumnDesign(spectra, size=size)
