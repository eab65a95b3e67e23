"""Adds a dataset and an experiment to the text of params.yaml, whose comments and order stay."""

import re
from typing import Any

import yaml

from pipeline.errors import ConfigError


def with_dataset(text: str, dataset: str, experiment: str) -> str:
    """The text of params.yaml with a dataset and an experiment more. Raises ConfigError where it is written in a way
    that cannot be added to, and where it names them already."""
    before = yaml.safe_load(text)
    for key, name in (("datasets", dataset), ("experiments", experiment)):
        if name in (before[key] or ()):
            raise ConfigError(f"params.yaml: {key} names '{name}' already. Choose another name with write=.")
    after = _added(
        _added(text, "datasets", dataset, f"- {dataset}"), "experiments", experiment, f"{experiment}: {dataset}"
    )
    expected = {
        **before,
        "datasets": [*(before["datasets"] or []), dataset],
        "experiments": {**(before["experiments"] or {}), experiment: dataset},
    }
    if yaml.safe_load(after) != expected:
        raise ConfigError(
            f"params.yaml: cannot be added to as it is written. Add '{dataset}' to datasets and "
            f"'{experiment}: {dataset}' to experiments by hand."
        )
    return after


def with_experiment(text: str, dataset: str, experiment: str) -> str:
    """The text of params.yaml with an experiment more, and with its dataset where that is not named yet."""
    before = yaml.safe_load(text)
    if experiment in (before["experiments"] or ()):
        raise ConfigError(f"params.yaml: experiments names '{experiment}' already. Choose another name.")
    datasets = list(before["datasets"] or ())
    after = text if dataset in datasets else _added(text, "datasets", dataset, f"- {dataset}")
    after = _added(after, "experiments", experiment, f"{experiment}: {dataset}")
    expected = {
        **before,
        "datasets": datasets if dataset in datasets else [*datasets, dataset],
        "experiments": {**(before["experiments"] or {}), experiment: dataset},
    }
    if yaml.safe_load(after) != expected:
        raise ConfigError(
            f"params.yaml: cannot be added to as it is written. Add '{experiment}: {dataset}' to experiments by hand."
        )
    return after


def _added(text: str, key: str, name: str, item: str) -> str:
    """The text with an item more in the list or mapping of a key."""
    root: Any = yaml.compose(text, yaml.SafeLoader)
    nodes = {k.value: (k, v) for k, v in root.value}
    at, node = nodes[key]
    if isinstance(node, yaml.ScalarNode):  # nothing yet
        return _line_after(text, at.end_mark.index, f"  {item}")
    if node.flow_style:
        end = node.end_mark.index - 1
        start = text[:end].rstrip()
        comma = "" if start.endswith(("[", "{", ",")) else ","
        blank = "" if start.endswith(("[", "{")) else " "
        return f"{start}{comma}{blank}{item.removeprefix('- ')}{text[end:]}"
    last = node.value[-1]
    first_key, last_value = (last[0], last[1]) if isinstance(last, tuple) else (last, last)
    begin = text.rfind("\n", 0, first_key.start_mark.index) + 1
    indent = re.match(r"\s*", text[begin:])
    assert indent is not None
    return _line_after(text, last_value.end_mark.index, indent.group() + item)


def _line_after(text: str, index: int, line: str) -> str:
    """The text with a line more after the one at `index`."""
    end = text.find("\n", index)
    return f"{text}\n{line}\n" if end < 0 else f"{text[: end + 1]}{line}\n{text[end + 1 :]}"
