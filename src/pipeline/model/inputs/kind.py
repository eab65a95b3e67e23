"""The kind of features that the columns of a dataset become together."""

from collections.abc import Sequence

from pipeline.errors import ConfigError
from pipeline.model.inputs import INPUTS
from pipeline.model.kinds import VECTOR


def kind_of(types: Sequence[str]) -> str:
    """The kind of the features. Columns that become vectors stand side by side in one vector; a column that becomes
    something else must be the only one."""
    kinds = {INPUTS[name].gives for name in types}
    if kinds == {VECTOR} or len(types) == 1:
        return kinds.pop()
    raise ConfigError(f"dataset: found columns of the types {', '.join(types)}, which no model takes together.")
