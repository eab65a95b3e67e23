"""Find the raw value of a row that stands out, for an error message that has to name one."""

import numpy as np

from pipeline.data.prepared import Split


def most_unusual_input(split: Split, row: int, known: Split) -> str:
    """The input of row number `row` (from 0) that is farthest from the mean of the `known` rows, in units of their
    deviation, as the text `'name' is value`. The largest value of an image stands for the image."""
    found, farthest = "", -1.0
    for name, values in split.inputs.items():
        beside = known.inputs[name].astype(np.float64)
        flat = values[row].reshape(-1).astype(np.float64)
        value = flat[np.abs(flat).argmax()]
        farness = float(np.abs(value - beside.mean()) / (beside.std() or 1.0))
        if farness > farthest:
            found, farthest = f"'{name}' is {value:g}", farness
    return found
