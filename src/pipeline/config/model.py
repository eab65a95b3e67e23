"""What is built: what every family's configuration has. Each family's own stands in its file, model/families/."""

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
    """One width, as a sweep writes it (`model.filters=8,16`), is a list of one."""
    return [found] if isinstance(found, int) else found


def check_widths(name: str, widths: Any) -> None:
    good = isinstance(widths, list) and widths and all(type(width) is int and width > 0 for width in widths)
    check(bool(good), name, widths, "a positive width, or a list of them such as [8, 16]")
