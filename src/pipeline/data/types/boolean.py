"""Yes or no."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.config import ColumnConfig
from pipeline.config.checks import check
from pipeline.data.digests import mixed
from pipeline.data.types.type import Parsed, Type, doubtful, none_refused, refused_where


@dataclass
class BooleanColumn(ColumnConfig):
    """The texts that mean yes and no; upper and lower case are the same."""

    true: list[str] = field(default_factory=lambda: ["true", "yes", "t", "y", "1"])
    false: list[str] = field(default_factory=lambda: ["false", "no", "f", "n", "0"])

    def check(self) -> None:
        both = {text.lower() for text in self.true} & {text.lower() for text in self.false}
        check(not both, "true and false", sorted(both), "texts of their own for each")
        for name in ("true", "false"):
            check(bool(getattr(self, name)), name, [], "one text or more")


class Boolean(Type):
    config = BooleanColumn
    expected = "yes or no"
    examples = ("true", "false")

    def storage(self, config: Any) -> pa.DataType:
        return pa.bool_()

    def parse(self, text: pa.StringArray, config: BooleanColumn) -> Parsed:
        lower = pc.utf8_lower(pc.utf8_trim_whitespace(text))
        true, false = (
            pc.is_in(lower, pa.array([known.lower() for known in texts], pa.string()))
            for texts in (config.true, config.false)
        )
        good = pc.or_(true, false).to_numpy(zero_copy_only=False)
        values = pc.if_else(text.is_valid(), true, pa.scalar(None, pa.bool_()))
        return refused_where(values, ~good & text.is_valid().to_numpy(zero_copy_only=False))

    def convert(self, values: pa.Array, config: BooleanColumn) -> Parsed | None:
        """The numbers 1 and 0 are yes and no. NaN is missing, because a data frame makes decimals of whole numbers and
        NaN of what is missing."""
        kind = values.type
        if pa.types.is_boolean(kind):
            return none_refused(values)
        if pa.types.is_floating(kind):
            values = values.cast(pa.float64())
            values = pc.if_else(pc.is_nan(values), pa.scalar(None, pa.float64()), values)
        elif not pa.types.is_integer(kind):
            return None
        true = pc.equal(values, pa.scalar(1, values.type))
        known = pc.or_(true, pc.equal(values, pa.scalar(0, values.type)))
        return refused_where(true, ~pc.fill_null(known, True).to_numpy(zero_copy_only=False))

    def digest(self, values: pa.Array) -> NDArray[np.uint64]:
        return mixed(pc.fill_null(values, False).to_numpy(zero_copy_only=False).astype(np.uint64))

    def advice(self, found: str, config: BooleanColumn) -> str:
        known = f"Known are {', '.join(config.true)} and {', '.join(config.false)}; set true and false for other texts."
        return doubtful(found) or known
