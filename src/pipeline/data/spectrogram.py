"""The log-mel spectrogram of recordings in NumPy.

Models compute it by Keras' layers (model/inputs/audio.py). This is for what has to do without TensorFlow: the means and
deviations that are learned from the training rows, references, and pages to look at.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.config.audio import AudioFeaturesConfig
from pipeline.errors import ConfigError

Floats = NDArray[np.float32]
LOWEST_HERTZ = 20.0
AT_ONCE = 256  # recordings whose spectra are in memory at a time


@dataclass(frozen=True)
class Spectrogram:
    """The spectrogram of recordings of so many `samples`, of which there are `rate` in a second."""

    config: AudioFeaturesConfig
    rate: int
    samples: int

    @property
    def window(self) -> int:
        """The length of a window in samples."""
        return max(2, round(self.config.window_ms * self.rate / 1000))

    @property
    def hop(self) -> int:
        return max(2, round(self.config.hop_ms * self.rate / 1000))

    @property
    def fft(self) -> int:
        """The length of the Fourier transform: the next power of 2."""
        return 1 << (self.window - 1).bit_length()

    @property
    def used(self) -> int:
        """How many samples are used: a whole number of hops."""
        return self.samples // self.hop * self.hop

    @property
    def frames(self) -> int:
        return self.used // self.hop + 1

    @property
    def width(self) -> int:
        """The number of values of a frame."""
        return self.config.coefficients if self.config.features == "mfcc" else self.config.mels

    def check(self) -> None:
        """Raise ConfigError where a recording is shorter than a window, or a band lies between two frequencies."""
        if self.used <= self.fft // 2:
            raise ConfigError(
                f"preprocessing.audio.window_ms: found {self.config.window_ms:g}, but recordings have "
                f"{1000 * self.samples / self.rate:g} ms. Set it to less, or the column's seconds to more."
            )
        if empty := int((self.mel_weights.sum(axis=0) == 0).sum()):
            raise ConfigError(
                f"preprocessing.audio.mels: found {self.config.mels}, but {empty} of these bands are narrower than the "
                f"{self.rate / self.fft:g} Hz that {self.config.window_ms:g} ms can tell apart. Set it to less."
            )

    @cached_property
    def mel_weights(self) -> Floats:
        """How much each frequency (fft / 2 + 1) counts in each band (mels): triangles of height 1 whose corners are
        equally spaced on the mel scale (O'Shaughnessy 1987, in the form of HTK), as in keras.layers.MelSpectrogram."""
        hertz = np.linspace(0, self.rate / 2, self.fft // 2 + 1)
        corners = np.linspace(_mel(np.array(LOWEST_HERTZ)), _mel(np.array(self.rate / 2)), self.config.mels + 2)
        low, middle, high = corners[:-2], corners[1:-1], corners[2:]
        mel = _mel(hertz)[:, np.newaxis]
        weights = np.maximum(0, np.minimum((mel - low) / (middle - low), (high - mel) / (high - middle)))
        weights[0] = 0
        found: Floats = weights.astype(np.float32)
        return found

    @cached_property
    def cosines(self) -> Floats:
        """The matrix (mels, coefficients) of the orthonormal cosine transform (DCT-II)."""
        mels = self.config.mels
        k, n = np.arange(self.config.coefficients), np.arange(mels)[:, np.newaxis]
        matrix = np.cos(np.pi * (n + 0.5) * k / mels) * np.sqrt(2 / mels)
        matrix[:, 0] = np.sqrt(1 / mels)
        found: Floats = matrix.astype(np.float32)
        return found

    def of(self, samples_NT: Floats) -> Floats:
        """The values (N, frames, width) of recordings (N, samples), as the served model computes them up to rounding,
        before they are standardised."""
        parts = [self._of(samples_NT[i : i + AT_ONCE]) for i in range(0, len(samples_NT), AT_ONCE)]
        return np.concatenate(parts) if parts else np.zeros((0, self.frames, self.width), np.float32)

    def _of(self, samples_NT: Floats) -> Floats:
        from scipy.sparse import csr_matrix

        x = samples_NT[:, : self.used]
        if self.config.level:
            x = x / np.maximum(np.abs(x).max(axis=1, keepdims=True), QUIETEST)
        half = self.fft // 2
        x = np.pad(x, ((0, 0), (half, half)), mode="reflect")
        frames = np.lib.stride_tricks.sliding_window_view(x, self.fft, axis=1)[:, :: self.hop]
        left = (self.fft - self.window) // 2
        curve = np.zeros(self.fft, np.float32)
        curve[left : left + self.window] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(self.window) / self.window)
        spectrum: NDArray[Any] = np.fft.rfft(frames * curve)
        power = spectrum.real**2 + spectrum.imag**2
        # A sparse product sums in one order, whatever the number of threads is.
        energy = csr_matrix(self.mel_weights.T) @ power.reshape(-1, half + 1).T
        found = np.log(np.maximum(energy.T, np.float32(self.config.floor)))
        if self.config.features == "mfcc":
            found = np.einsum("fm,mc->fc", found, self.cosines)
        values: Floats = found.reshape(*power.shape[:2], self.width).astype(np.float32, copy=False)
        return values


QUIETEST = 1e-4  # what is quieter is not made as loud as the others


def _mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Frequencies on the mel scale."""
    return 1127.0 * np.log(1.0 + hertz / 700.0)
