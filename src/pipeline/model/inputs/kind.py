"""The kinds of features that the columns of a dataset become for a family."""

from collections.abc import Sequence

from pipeline.model.inputs import INPUTS
from pipeline.model.kinds import TOGETHER


def kinds_of(types: Sequence[str], accepts: Sequence[str]) -> dict[str, str]:
    """The kind of features that each type of column becomes: the first one that is in `accepts`, and if there is none,
    the last one that the type can give."""
    kinds = {}
    for name in types:
        gives = INPUTS[name].gives
        kinds[name] = next((kind for kind in gives if kind in accepts), gives[-1])
    return kinds


def stand_together(types: Sequence[str], accepts: Sequence[str]) -> bool:
    """Whether columns of these types can stand beside each other: one that becomes anything but a vector or codes must
    be the only one."""
    return len(types) == 1 or set(kinds_of(types, accepts).values()) <= set(TOGETHER)
