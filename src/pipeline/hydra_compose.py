"""What Hydra composes from conf/, and how a process that composes again and again does so quickly.

Hydra reads all files anew each time, its own ones too, which takes longer than many a training of a search. What it
composes comes about in two steps: the choices of groups say which files are merged, and then the values of all other
overrides are set. So the result of the first step is remembered, as long as conf/ and params.yaml stay as they are, and
the values are set in a copy of it.
"""

import hashlib
import os
import pickle
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.hydra import Hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from pipeline.layout import Layout

# The defaults of which version of Hydra hold.
VERSION_BASE = "1.3"
MOST_REMEMBERED = 128  # choices of groups; each takes some 10 kB

Composed = tuple[DictConfig, dict[str, object]]  # a node without Hydra's own part, and the options of Hydra's groups


def compose_node(layout: Layout, config_name: str, overrides: list[str], content: str) -> Composed:
    """Compose `config_name` of conf/ with Hydra. The schema must have been registered after `content` was read."""
    # Whatever is unusual or wrong is Hydra's from the beginning, and so is what it says about it.
    with suppress(HydraException, OmegaConfBaseException):
        if found := _from_remembered(layout, config_name, overrides, content):
            return found
    return compose_anew(layout, config_name, overrides)


def compose_anew(layout: Layout, config_name: str, overrides: list[str]) -> Composed:
    """As `compose_node`, from the files alone."""
    with hydra_at(layout.conf):
        node = compose(config_name, overrides, return_hydra_config=True)
    choices = dict(node.hydra.runtime.choices)
    OmegaConf.set_struct(node, False)
    node.pop("hydra")
    return node, choices


@contextmanager
def hydra_at(conf: Path) -> Iterator[Hydra]:
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(conf), version_base=VERSION_BASE):
        hydra = GlobalHydra.instance().hydra
        assert hydra is not None
        yield hydra


def _from_remembered(layout: Layout, config_name: str, overrides: list[str], content: str) -> Composed | None:
    """As Hydra does it, step by step; None where it would do more than that."""
    parsed = OverridesParser.create().parse_overrides(overrides)
    if any(override.is_sweep_override() or override.key_or_group.startswith("hydra") for override in parsed):
        return None
    groups = _groups_among(layout, frozenset(override.key_or_group for override in parsed), content)
    if groups is None:
        return None
    choices, values = list[str](), list[Override]()
    for override in parsed:
        if override.key_or_group in groups and not isinstance(override.value(), dict):
            choices.append(str(override.input_line))
        else:
            values.append(override)
    first = _first_step(layout, config_name, tuple(choices), content)
    if first is None:
        return None
    node: DictConfig = pickle.loads(first.node)
    ConfigLoaderImpl._apply_overrides_to_config(values, node)
    OmegaConf.set_struct(node, False)
    return node, dict(first.choices)


def content_of(layout: Layout) -> str:
    """A digest of params.yaml and of all that Hydra may find in conf/."""
    digest = hashlib.sha256()
    folders = sorted((folder, names) for folder, _, names in os.walk(layout.conf, followlinks=True))
    for folder, names in [(str(layout.root), [layout.params.name]), *folders]:
        digest.update(f"\0{folder}\0".encode())  # it is a group, even without a file
        for name in sorted(name for name in names if name.endswith(".yaml")):
            with suppress(OSError), open(os.path.join(folder, name), "rb") as file:
                content = file.read()
                digest.update(f"\0{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


@lru_cache(maxsize=MOST_REMEMBERED)
def _groups_among(layout: Layout, keys: frozenset[str], content: str) -> frozenset[str] | None:
    """The keys that are groups. None where the content is another by now."""
    with hydra_at(layout.conf) as hydra:
        sources = hydra.config_loader.get_sources()
        groups = frozenset(key for key in keys if any(source.is_group(key) for source in sources))
    return groups if content == content_of(layout) else None


@dataclass(frozen=True)
class FirstStep:
    """What the choices of groups give: the node, pickled, since the values are set in a copy, and all choices."""

    node: bytes
    choices: dict[str, object]


@lru_cache(maxsize=MOST_REMEMBERED)
def _first_step(layout: Layout, config_name: str, chosen: tuple[str, ...], content: str) -> FirstStep | None:
    """What these choices give. None where files of other places are merged too, or the content is another by now."""
    with hydra_at(layout.conf):
        node = compose(config_name, [*chosen], return_hydra_config=True)
    if node.hydra.searchpath or content != content_of(layout):
        return None
    choices = dict(node.hydra.runtime.choices)
    with open_dict(node):
        node.pop("hydra")
    return FirstStep(pickle.dumps(node), choices)


def choices(layout: Layout) -> str:
    """Hydra's groups with their options, for people who ask for help before they have chosen any."""
    with hydra_at(layout.conf) as hydra:
        groups = hydra.format_config_groups(lambda group: not group.startswith("hydra") or group == "hydra/launcher")
    shown = [
        f"  {group}: {', '.join(option for option in options.split(', ') if not option.endswith('_schema'))}"
        for group, _, options in (line.partition(": ") for line in groups.splitlines())
    ]
    after = "With the choices made, --help (or --cfg job) shows all values."
    return "\n".join(["Choose by group=option, and set any value by key=value:", *shown, "", after])
