"""What a dataset promises. `prepare` refuses rows that break it (data/contract.py)."""

import math
from dataclasses import dataclass, field

from pipeline.config.checks import check


@dataclass
class RowsConfig:
    """The least number of rows, and of rows of each class, where the target has classes."""

    min: int = 0
    min_per_class: int = 0


@dataclass
class RuleConfig:
    """What holds for each value of a column that is not missing. `min` and `max` are for numbers; `values` are all that
    there may be; `pattern` is a regular expression (RE2) that is found in each text; `max_length` counts characters.
    `max_missing` is the greatest share of missing values."""

    min: float | None = None
    max: float | None = None
    values: list[str] | None = None
    pattern: str | None = None
    max_length: int | None = None
    unique: bool = False
    max_missing: float | None = None


@dataclass
class ContractConfig:
    """For example::

    contract:
      rows: {min: 100, min_per_class: 20}
      columns:
        bill_length_mm: {min: 20, max: 80}
        sex: {max_missing: 0.05}
    """

    rows: RowsConfig = field(default_factory=RowsConfig)
    columns: dict[str, RuleConfig] = field(default_factory=dict)

    def check(self) -> None:
        for name, rule in self.columns.items():
            where = f"dataset.contract.columns.{name}"
            for key in ("min", "max"):
                limit = getattr(rule, key)
                check(limit is None or math.isfinite(limit), f"{where}.{key}", limit, "a finite number")
            check(rule.values is None or bool(rule.values), f"{where}.values", rule.values, "one value or more")
            ordered = rule.min is None or rule.max is None or rule.min <= rule.max
            check(ordered, f"{where}.max", rule.max, "no less than min")
            share = rule.max_missing
            check(share is None or 0 <= share < 1, f"{where}.max_missing", share, "a share from 0 to less than 1")
            check(rule.max_length is None or rule.max_length >= 0, f"{where}.max_length", rule.max_length, "0 or more")
