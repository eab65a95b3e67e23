"""How long recordings are, and how loud."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.data.profile.measured import Measured
from pipeline.data.sound import LARGEST, stored_samples
from pipeline.data.types.audio import AudioColumn


def loudness(values: pa.ChunkedArray, config: AudioColumn) -> Measured:
    """Of recordings (N,): their seconds, their largest sample as a share of full scale (the peak), and the root of the
    mean square of their samples (the level, RMS)."""
    found = [
        (len(samples) / config.rate, peak(samples), np.sqrt(np.mean((samples / LARGEST) ** 2)) if len(samples) else 0.0)
        for samples in stored_samples(values)
    ]
    seconds, peaks, levels = np.array(found, np.float64).reshape(-1, 3).T
    return Measured({"seconds": seconds, "peak": peaks, "level": levels})


def peak(samples: NDArray[np.int16]) -> float:
    """The size of the largest of the samples (T,)."""
    return max(int(samples.max()), -int(samples.min())) / LARGEST if len(samples) else 0.0
