"""How series behave in a window: how high they are, how much they vary, and how much a value follows the one before."""

import numpy as np
import pyarrow as pa

from pipeline.data.profile.measured import Measured, Numbers
from pipeline.data.types.series import SeriesColumn, windows


def dynamics(values: pa.ChunkedArray, config: SeriesColumn) -> Measured:
    """Of each channel in windows (N,): its mean (the level), its standard deviation (the spread), and its
    autocorrelation at lag 1, as far as a window is long enough for them."""
    windows_NWC = windows(values.combine_chunks(), config.shape)
    mean_NC = windows_NWC.mean(axis=1)
    off_NWC = windows_NWC - mean_NC[:, np.newaxis]
    found = {"level": mean_NC}
    if config.window > 1:
        found["spread"] = np.sqrt((off_NWC**2).mean(axis=1))
    if config.window > 2:
        found["autocorrelation"] = autocorrelation(off_NWC)
    numbers = {
        f"{name} of {channel}": values_NC[:, place]
        for name, values_NC in found.items()
        for place, channel in enumerate(config.channels)
    }
    return Measured(numbers, overlap=config.overlap)


def autocorrelation(off_NWC: Numbers) -> Numbers:
    """The sum of the products of neighbours over that of the squares (Box and Jenkins 1970), of values less their mean.
    Where all are equal, each is what the one before was, which is 1."""
    squares = (off_NWC**2).sum(axis=1)
    products = (off_NWC[:, 1:] * off_NWC[:, :-1]).sum(axis=1)
    found: Numbers = np.divide(products, squares, out=np.ones_like(squares), where=squares > 0)
    return found
