"""Utterances of the ten digits, made by a source and a filter as speech is (Fant 1960): pulses of the voice, or noise,
pass through resonances that move from one phoneme to the next."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
RATE, SAMPLES = 8000, 4000
FFT, HOP = 256, 128
# Each phoneme: its three formants in Hz as men speak them (Peterson and Barney 1952 for vowels), how loud voice and
# noise are, and how long it lasts beside others. Of what is only noise, the formants are where the noise is.
PHONEMES: dict[str, tuple[tuple[int, int, int], float, float, float]] = {
    "iy": ((270, 2290, 3010), 1.0, 0.0, 1.2),
    "ih": ((390, 1990, 2550), 1.0, 0.0, 0.9),
    "eh": ((530, 1840, 2480), 1.0, 0.0, 1.0),
    "ey": ((450, 2050, 2600), 1.0, 0.0, 1.0),
    "ah": ((640, 1190, 2390), 1.0, 0.0, 1.0),
    "aa": ((730, 1090, 2440), 1.0, 0.0, 1.1),
    "ao": ((570, 840, 2410), 1.0, 0.0, 1.3),
    "uw": ((300, 870, 2240), 1.0, 0.0, 1.4),
    "ow": ((480, 900, 2300), 1.0, 0.0, 1.2),
    "r": ((310, 1060, 1380), 0.7, 0.0, 0.7),
    "w": ((290, 610, 2150), 0.6, 0.0, 0.6),
    "n": ((280, 1300, 2200), 0.4, 0.0, 0.8),
    "v": ((250, 1100, 2300), 0.3, 0.2, 0.6),
    "z": ((250, 2600, 3600), 0.2, 0.5, 0.8),
    "s": ((2900, 3400, 3800), 0.0, 0.7, 1.1),
    "f": ((1100, 2100, 3300), 0.0, 0.3, 1.0),
    "th": ((1400, 2500, 3500), 0.0, 0.25, 0.9),
    "t": ((2200, 3000, 3700), 0.0, 0.8, 0.4),
    "k": ((1500, 2200, 3000), 0.0, 0.7, 0.4),
    "-": ((500, 1500, 2500), 0.0, 0.0, 0.4),  # a stop
}
DIGITS = {
    "zero": "z iy r ow",
    "one": "w ah n",
    "two": "- t uw",
    "three": "th r iy",
    "four": "f ao r",
    "five": "f aa iy v",
    "six": "s ih - k s",
    "seven": "s eh v ah n",
    "eight": "ey iy - t",
    "nine": "n aa iy n",
}
SECONDS_OF_PHONEME = 0.06
BEEPS = 2
BANDWIDTHS = np.array([80.0, 120.0, 180.0])


@dataclass(frozen=True)
class Speaker:
    """`pitch` is in Hz, `tract` stretches the formants, and `tempo` the utterances."""

    pitch: float
    tract: float
    tempo: float

    @classmethod
    def random(cls, random: np.random.Generator) -> "Speaker":
        """From deep voices with long tracts to high ones with short tracts."""
        height = random.uniform(0, 1)
        pitch = 90 * 2 ** (1.4 * height + random.normal(0, 0.12))
        return cls(pitch, 0.88 + 0.3 * height + random.normal(0, 0.03), random.uniform(0.8, 1.2))


def utterances(digits: NDArray[np.int64], speakers: list[Speaker], random: np.random.Generator) -> NDArray[np.int16]:
    """A recording (N, SAMPLES) of each digit (N,), spoken by its speaker (N): with its own tempo, place, melody,
    loudness, beeps and background noise."""
    number = len(digits)
    frames = SAMPLES // HOP + 1
    tracks = [_track(int(digit), speaker, frames, random) for digit, speaker in zip(digits, speakers, strict=True)]
    formants_NF3 = np.stack([formants for formants, _, _ in tracks])
    voice_NF, noise_NF = (np.stack([track[i] for track in tracks]) for i in (1, 2))
    pitch = np.array([speaker.pitch for speaker in speakers])[:, np.newaxis]
    seconds = np.arange(SAMPLES) / RATE
    # the voice falls towards the end, and trembles a little
    melody = 1 + 0.12 * (0.25 - seconds) + 0.02 * np.sin(2 * np.pi * 5 * seconds + random.uniform(0, 6, (number, 1)))
    turns = np.cumsum(pitch * melody / RATE, axis=1) + random.uniform(0, 1, (number, 1))
    pulses = np.diff(np.floor(turns), axis=1, prepend=np.floor(turns[:, :1])) * np.sqrt(RATE / pitch)
    hiss = random.normal(0, 1, (number, SAMPLES))
    sound = _filtered([(pulses, voice_NF), (hiss, noise_NF)], formants_NF3)
    sound /= np.abs(sound).max(axis=1, keepdims=True)
    sound += _beeps(number, random)
    background = 10 ** random.uniform(-2.0, -1.2, (number, 1))
    sound += background * random.normal(0, 1, (number, SAMPLES))
    loudness = 10 ** random.uniform(-1.0, -0.1, (number, 1))
    sound *= loudness / np.abs(sound).max(axis=1, keepdims=True)
    return np.rint(sound * (2**15 - 1)).astype(np.int16)


def _beeps(number: int, random: np.random.Generator) -> Array:
    """Short tones (N, SAMPLES) at random places and of random heights, which a listener has to leave out of account."""
    found, seconds = np.zeros((number, SAMPLES)), np.arange(SAMPLES) / RATE
    for _ in range(BEEPS):
        start, length = random.uniform(0, 0.44, (number, 1)), random.uniform(0.03, 0.06, (number, 1))
        wave = np.sin(2 * np.pi * random.uniform(300, 3500, (number, 1)) * seconds)
        heard = (seconds >= start) & (seconds < start + length)
        found += random.uniform(0.3, 1.0, (number, 1)) * heard * wave
    return found


def _track(digit: int, speaker: Speaker, frames: int, random: np.random.Generator) -> tuple[Array, Array, Array]:
    """The formants (frames, 3), and how loud voice and noise are (frames,), of one utterance."""
    phonemes = [PHONEMES[name] for name in list(DIGITS.values())[digit].split()]
    lengths = np.array([entry[3] for entry in phonemes]) * random.uniform(0.8, 1.25, len(phonemes))
    total = min(0.42, SECONDS_OF_PHONEME * lengths.sum() * speaker.tempo * random.uniform(0.9, 1.1)) * RATE / HOP
    start = random.uniform(1, frames - 1 - total)
    ends = start + total * np.cumsum(lengths) / lengths.sum()
    middles = ends - total * lengths / lengths.sum() / 2
    at = np.arange(frames)
    targets = np.array([entry[0] for entry in phonemes]) * speaker.tract * random.normal(1, 0.04, (len(phonemes), 3))
    formants = np.stack([np.interp(at, middles, target) for target in targets.T], axis=1)
    within = np.searchsorted(ends, at)
    spoken = (at >= start) & (within < len(phonemes))
    loud = np.array([[entry[1], entry[2]] for entry in phonemes])[np.minimum(within, len(phonemes) - 1)]
    loud = loud * spoken[:, np.newaxis]
    return formants, loud[:, 0], loud[:, 1]


def _filtered(sources: list[tuple[Array, Array]], formants_NF3: Array) -> Array:
    """Sources (N, T), each as loud (N, F) as it is in a frame, through resonances at the formants of the frame:
    overlapping pieces are filtered and added."""
    number, frames, _ = formants_NF3.shape
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FFT) / FFT)
    spectrum = np.zeros((number, frames, FFT // 2 + 1), np.complex128)
    for source_NT, loud_NF in sources:
        padded = np.pad(source_NT, ((0, 0), (FFT // 2, FFT // 2 + FFT)))
        pieces = np.lib.stride_tricks.sliding_window_view(padded, FFT, axis=1)[:, ::HOP][:, :frames]
        spectrum += np.fft.rfft(pieces * (window * loud_NF[..., np.newaxis]), axis=2)
    hertz = np.arange(FFT // 2 + 1) * RATE / FFT
    # the energy of each resonance around its formant, of which higher ones are weaker
    beside = (hertz - formants_NF3[..., np.newaxis]) / BANDWIDTHS[:, np.newaxis]
    gain = (np.array([1.0, 0.6, 0.35])[:, np.newaxis] / (1 + beside**2)).sum(axis=2)
    filtered = np.fft.irfft(spectrum * gain, axis=2)
    sound = np.zeros((number, SAMPLES + 2 * FFT))
    for frame in range(frames):
        sound[:, frame * HOP : frame * HOP + FFT] += filtered[:, frame]
    return sound[:, FFT // 2 : FFT // 2 + SAMPLES]
