"""Recordings: a spectrogram on the mel scale, or its cosine transform, of which each value is standardised over all
frames of the training recordings. It is computed in the served graph."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.config import PreprocessingConfig
from pipeline.data.moments import stretch
from pipeline.data.schema import Column
from pipeline.data.spectrogram import LOWEST_HERTZ, QUIETEST, Spectrogram
from pipeline.data.types.audio import AudioColumn, samples_of
from pipeline.model.inputs.input import Arrays, Chunks, Input, Tensor
from pipeline.model.inputs.scaling import rescale
from pipeline.model.kinds import GRID, SEQUENCE, Feature

if TYPE_CHECKING:
    import keras

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Fitted:
    """The mean and deviation (width,) of each value of a frame; 0 and 1 where nothing is to be standardised."""

    spectrogram: Spectrogram
    mean: Array
    deviation: Array


class AudioInput(Input):
    gives = (GRID, SEQUENCE)

    def tensors(self, column: Column) -> dict[str, Tensor]:
        return {column.name: Tensor((_config(column).samples,), "float32")}

    def collate(self, column: Column, values: pa.Array) -> Arrays:
        return {column.name: samples_of(values, _config(column))}

    def fit(self, config: PreprocessingConfig, columns: list[Column], chunks: Chunks) -> Fitted:
        (column,) = columns
        audio = _config(column)
        spectrogram = Spectrogram(config.audio, audio.rate, audio.samples)
        spectrogram.check()
        number, total, squares = 0, np.zeros(spectrogram.width), np.zeros(spectrogram.width)
        if not config.standardize:
            return Fitted(spectrogram, total, np.ones(spectrogram.width))
        for table in chunks():
            values = spectrogram.of(samples_of(table[column.name].combine_chunks(), audio)).astype(np.float64)
            number += values.shape[0] * values.shape[1]
            total += values.sum(axis=(0, 1))
            squares += (values**2).sum(axis=(0, 1))
        mean = total / number
        return Fitted(spectrogram, mean, stretch(np.sqrt(np.maximum(squares / number - mean**2, 0))))

    def apply(
        self, kind: str, columns: list[Column], fitted: Fitted, tensors: "dict[str, keras.KerasTensor]"
    ) -> Feature:
        """A grid (B, frames, width, 1) or a sequence (B, frames, width) from samples (B, T)."""
        import keras

        (column,) = columns
        made, config = fitted.spectrogram, fitted.spectrogram.config
        # Keras' layer says so many frames as there are only where the samples are a whole number of hops.
        x = tensors[column.name][:, : made.used]
        if config.level:
            largest = keras.ops.max(keras.ops.abs(x), axis=1, keepdims=True)
            x = x / keras.ops.maximum(largest, QUIETEST)
        x = keras.layers.MelSpectrogram(
            fft_length=made.fft,
            sequence_stride=made.hop,
            sequence_length=made.window,
            sampling_rate=made.rate,
            num_mel_bins=config.mels,
            min_freq=LOWEST_HERTZ,
            power_to_db=False,  # it would measure each recording by the loudest one of its batch
            name="mel_spectrogram",
        )(x)
        x = keras.ops.log(keras.ops.maximum(x, config.floor))
        x = keras.layers.Permute((2, 1), name="frames")(x)
        if config.features == "mfcc":
            cosines = keras.layers.Dense(made.width, use_bias=False, trainable=False, name="cosine_transform")
            x = cosines(x)
            cosines.set_weights([made.cosines])
        x = rescale(x, 1 / fitted.deviation, -fitted.mean / fitted.deviation, "standardize_frames")
        if kind == GRID:
            x = keras.layers.Reshape((made.frames, made.width, 1), name="spectrogram")(x)
        return Feature(x)


def _config(column: Column) -> AudioColumn:
    assert isinstance(column.config, AudioColumn)
    return column.config
