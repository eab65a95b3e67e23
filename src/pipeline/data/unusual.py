"""Which raw value of a row stands out, for an error that has to name one."""

import numpy as np

from pipeline.data.prepared import Split


def most_unusual_input(split: Split, row: int) -> str:
    """The input of row number `row` (from 0) that is farthest from the median of its column, in units of the column's
    median distance from there, as `'name' is value`. Of an image, its largest value stands for it."""
    found, farthest = "", -1.0
    for name, values in split.inputs.items():
        column = values.reshape(split.num_rows, -1).astype(np.float64)
        if column.shape[1] > 1:
            column = np.take_along_axis(column, np.abs(column).argmax(axis=1)[:, np.newaxis], axis=1)
        distance = np.abs(column[:, 0] - np.median(column))
        farness = float(distance[row] / (np.median(distance) or 1.0))
        if farness > farthest:
            found, farthest = f"'{name}' is {column[row, 0]:g}", farness
    return found
