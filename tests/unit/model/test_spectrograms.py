"""Spectrograms: the served graph, NumPy and scipy agree; and what hides a piece of them in training."""

import keras
import numpy as np
import pyarrow as pa
import pytest
from scipy.fft import dct
from scipy.signal import stft

from pipeline.config import AudioFeaturesConfig, AugmentationConfig, PreprocessingConfig
from pipeline.data.prepared import Split
from pipeline.data.schema import Column, Schema
from pipeline.data.spectrogram import Spectrogram
from pipeline.data.types.audio import Audio, AudioColumn, samples_of
from pipeline.errors import ConfigError
from pipeline.model.augmentation import build_augmentation
from pipeline.model.kinds import GRID, SEQUENCE, Feature
from pipeline.training.seeding import reseed, seed_generators
from tests.made import inputs_of, preprocessing

COLUMN = AudioColumn("audio", rate=8000, seconds=0.2)
SCHEMA = Schema("made", "multiclass", "hash", [Column("a sound/s", COLUMN)], "target", ["a", "b"])


def recordings() -> Split:
    random = np.random.default_rng(0)
    lengths, loudness = [1600, 1600, 900, 60], [0.3, 0.01, 0.5, 0.2]
    sounds = [random.normal(0, scale, n).clip(-1, 1) for n, scale in zip(lengths, loudness, strict=True)]
    parsed = Audio().convert(pa.array(sounds), COLUMN)
    assert parsed is not None
    return Split(np.array(list("abcd")), pa.table({"a sound/s": parsed.values}), np.array([0, 1, 0, 1]))


def by_scipy(samples: np.ndarray, config: AudioFeaturesConfig, fft: int) -> np.ndarray:
    """Log-mel energies (N, frames, mels) as scipy and the definition of the mel scale give them."""
    if config.level:
        samples = samples / np.abs(samples).max(axis=1, keepdims=True)
    window, hop = round(config.window_ms * 8), round(config.hop_ms * 8)
    padded = np.pad(samples, ((0, 0), (fft // 2, fft // 2)), mode="reflect")
    left = (fft - window) // 2
    curve = np.pad(np.hanning(window + 1)[:-1], (left, fft - window - left))
    _, _, found = stft(padded, 1, curve, fft, fft - hop, boundary=None, padded=False, scaling="spectrum")
    power = np.abs(found * curve.sum()).transpose(0, 2, 1) ** 2
    to_mel = lambda hertz: 2595 * np.log10(1 + hertz / 700)  # noqa: E731
    corners = 700 * (10 ** (np.linspace(to_mel(20), to_mel(4000), config.mels + 2) / 2595) - 1)
    mel, hertz = to_mel(corners), np.arange(fft // 2 + 1) * 8000 / fft
    triangles = [np.interp(to_mel(hertz), mel[i : i + 3], [0, 1, 0]) for i in range(config.mels)]
    energy = power @ np.stack(triangles, axis=1)
    return np.log(np.maximum(energy, config.floor))


@pytest.mark.parametrize(
    "config",
    [
        AudioFeaturesConfig(),
        AudioFeaturesConfig(mels=20, window_ms=30, hop_ms=11, level=False, floor=1e-6),
        AudioFeaturesConfig("mfcc", coefficients=10),
    ],
)
def test_the_graph_numpy_and_scipy_agree(config: AudioFeaturesConfig) -> None:
    split = recordings()
    samples = samples_of(split.table["a sound/s"].combine_chunks(), COLUMN)
    made = Spectrogram(config, 8000, COLUMN.samples)
    expected = by_scipy(samples[:, : made.used].astype(np.float64), config, made.fft)
    if config.features == "mfcc":
        expected = dct(expected, norm="ortho", axis=-1)[..., : config.coefficients]
    close = 2e-2 if config.features == "mfcc" else 2e-3  # a coefficient is a sum over all bands
    assert made.of(samples).shape == (4, made.frames, made.width) == expected.shape
    np.testing.assert_allclose(made.of(samples), expected, atol=close)
    plain = preprocessing(SCHEMA, split, PreprocessingConfig(audio=config, standardize=False), (SEQUENCE,))
    np.testing.assert_allclose(np.asarray(plain(inputs_of(SCHEMA, split))), expected, atol=close)
    standardized = preprocessing(SCHEMA, split, PreprocessingConfig(audio=config))
    found = np.asarray(standardized(inputs_of(SCHEMA, split)))
    assert found.shape == (*expected.shape, 1)
    scaled = (expected - expected.mean(axis=(0, 1))) / expected.std(axis=(0, 1))
    np.testing.assert_allclose(found[..., 0], scaled, atol=1e-2)
    # a recording's features do not depend on those beside it
    one = {name: tensor[3:] for name, tensor in inputs_of(SCHEMA, split).items()}
    np.testing.assert_allclose(np.asarray(standardized(one)), found[3:], atol=1e-5)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (AudioFeaturesConfig(window_ms=500), "window_ms: found 500, but recordings have 200 ms. Set it to less, or"),
        (AudioFeaturesConfig(mels=200), r"mels: found 200, but \d+ of these bands are narrower than the 31.25 Hz"),
    ],
)
def test_what_recordings_cannot_become(config: AudioFeaturesConfig, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        preprocessing(SCHEMA, recordings(), PreprocessingConfig(audio=config))


def changed(config: AugmentationConfig, kind: str, x: np.ndarray, epoch: int = 0) -> np.ndarray:
    feature = Feature(keras.Input(x.shape[1:]), widths={"audio": x.shape[-1]})
    model = build_augmentation(config, {kind: feature}, SCHEMA)
    assert model is not None
    reseed(seed_generators((model,)), 3, epoch)
    return np.asarray(model({kind: x}, training=True)[kind])


@pytest.mark.parametrize("kind", [GRID, SEQUENCE])
def test_masks_hide_whole_frames_and_bands(kind: str) -> None:
    ones = np.ones((300, 20, 10, 1) if kind == GRID else (300, 20, 10), np.float32)
    for name, axis, widest in (("mask_time", 1, 6), ("mask_bands", 2, 3)):
        config = AugmentationConfig(**{name: 0.3}, masks=1)
        found = changed(config, kind, ones).reshape(300, 20, 10)
        assert (found.min(axis=3 - axis) == found.max(axis=3 - axis)).all(), "all of a frame, or all of a band"
        hidden = found.min(axis=3 - axis) == 0
        widths = hidden.sum(axis=1)
        assert sorted(set(widths.tolist())) == list(range(widest + 1))
        assert (np.abs(np.diff(hidden.astype(int), axis=1)).sum(axis=1) <= 2).all(), "one piece"
        assert hidden.any(axis=0).all(), "any place"
        np.testing.assert_array_equal(changed(config, kind, ones).reshape(300, 20, 10), found)
        assert (changed(config, kind, ones, epoch=1).reshape(300, 20, 10) != found).any()
        assert changed(AugmentationConfig(**{name: 0.3}, masks=3), kind, ones).sum() < found.sum()


def test_a_shift_moves_frames_but_no_bands() -> None:
    x = np.random.default_rng(0).normal(size=(50, 20, 4)).astype(np.float32)
    x[:, :, 1] = 7
    found = changed(AugmentationConfig(shift_time=0.25), SEQUENCE, x)
    np.testing.assert_allclose(found[:, :, 1], 7, rtol=1e-5)
    assert (np.abs(found - x).max(axis=(1, 2)) > 0.1).sum() > 40
