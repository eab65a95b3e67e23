"""Texts that stand for a missing value, such as -999, beside values that are no texts: -999.0 is what it says, too."""

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def are_numbers(values: pa.Array, texts: Iterable[str]) -> pa.BooleanArray:
    """Which values (N,) are a number that one of the texts says. None where they are no numbers."""
    kind = values.type
    numbers = [number for text in texts if (number := _number(text)) is not None]
    if pa.types.is_integer(kind):
        bounds = np.iinfo(kind.to_pandas_dtype())
        whole = [int(number) for number in numbers if number.is_finite() and number == number.to_integral_value()]
        known = pa.array([number for number in whole if bounds.min <= number <= bounds.max], kind)
        return pc.is_in(values, value_set=known)
    if pa.types.is_floating(kind):
        with np.errstate(over="ignore"):
            # As float32 holds it, -9.9 is not what it is as float64.
            rounded = np.array(numbers, np.float64).astype(kind.to_pandas_dtype()).astype(np.float64)
        return pc.is_in(values.cast(pa.float64()), value_set=pa.array(rounded))
    if pa.types.is_decimal(kind):
        return pc.is_in(values.cast(pa.float64()), value_set=pa.array([float(number) for number in numbers]))
    return none_of(values)


def are_stored(values: pa.Array, markers: pa.Array) -> pa.BooleanArray:
    """Which values (N,) are one of the markers, which are in the storage of their type. None where the values are not,
    or not yet."""
    return pc.is_in(values, value_set=markers.drop_null()) if values.type == markers.type else none_of(values)


def none_of(values: pa.Array) -> pa.BooleanArray:
    return pa.array(np.zeros(len(values), bool))


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text.strip())
    except InvalidOperation:
        return None
