"""The kinds of features that the columns of a dataset become for a family."""

from collections.abc import Sequence

from pipeline.errors import ConfigError
from pipeline.model.inputs import INPUTS
from pipeline.model.kinds import TOGETHER


def kinds_of(types: Sequence[str], accepts: Sequence[str]) -> dict[str, str]:
    """The kind of features that each type of column becomes: the first one that is in `accepts`, and if there is none,
    the last one that the type can give.

    Raises ConfigError for columns that cannot stand beside each other: a column that becomes anything but a vector or
    codes must be the only one.
    """
    kinds = {}
    for name in types:
        gives = INPUTS[name].gives
        kinds[name] = next((kind for kind in gives if kind in accepts), gives[-1])
    if len(types) > 1 and not set(kinds.values()) <= set(TOGETHER):
        raise ConfigError(f"dataset: found columns of the types {', '.join(types)}, which no model takes together.")
    return kinds
