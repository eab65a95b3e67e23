"""What the configuration of every family has. The rest of a family's configuration stands in its file in
model/families/."""

from dataclasses import dataclass
from typing import Any

from omegaconf import MISSING

from pipeline.config.checks import check


@dataclass
class ModelConfig:
    """`family` is its name in FAMILIES; `l2` is the penalty on the head's weights."""

    family: str = MISSING
    l2: float = 0.0

    def check(self) -> None:
        check(self.l2 >= 0, "model.l2", self.l2, "0 or more")


def widths(found: Any) -> Any:
    """A list of widths. A single width, as a sweep writes it (`model.filters=8,16`), becomes a list of one; anything
    else is left as it is, for `check_widths` to refuse."""
    return [found] if isinstance(found, int) else found


def check_widths(name: str, widths: object) -> None:
    good = isinstance(widths, list) and widths and all(type(width) is int and width > 0 for width in widths)
    check(bool(good), name, widths, "a positive width, or a list of them such as [8, 16]")
