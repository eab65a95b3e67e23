"""Hydra composition: conf/ + params.yaml + overrides -> a typed, checked Config.

The stage `configure` and every command compose here, so that a run by hand and a DVC stage agree.
"""

import os
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from pipeline import config as schema
from pipeline.data.sources import SOURCES
from pipeline.errors import ConfigError, did_you_mean
from pipeline.hydra_compose import compose_node, content_of
from pipeline.hydra_errors import explain, explain_omegaconf, unknown_field
from pipeline.layout import Layout
from pipeline.matching import check_dataset, check_members
from pipeline.model.families import FAMILIES
from pipeline.training import TRAINERS

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


@dataclass
class Composed(schema.Config):
    """What Hydra composes: an experiment, and the settings of a search, which are no part of any trial."""

    sweep: schema.SweepConfig = field(default_factory=schema.SweepConfig)

    def experiment(self) -> schema.Config:
        return schema.Config(**{entry.name: getattr(self, entry.name) for entry in fields(schema.Config)})


# Jobs of a grid at once, each in a process, as many as the cores can serve with trainer.threads each.
JOBLIB = {
    "_target_": "hydra_plugins.hydra_joblib_launcher.joblib_launcher.JoblibLauncher",
    "n_jobs": "${fair_jobs:${trainer.threads}}",
    "backend": "loky",
    "prefer": "processes",
    "require": None,
    "verbose": 0,
    "timeout": None,
    "pre_dispatch": "${hydra.launcher.n_jobs}",
    "batch_size": "auto",
    "temp_folder": None,
    "max_nbytes": None,
    "mmap_mode": "r",
}


class _UniqueKeys(yaml.SafeLoader):
    """YAML that refuses a key written twice, where PyYAML silently keeps the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key, _ in node.value:
            name = self.construct_object(key)
            if name in seen:
                line = key.start_mark.line + 1
                raise ConfigError(f"params.yaml line {line}: '{name}' stands twice. Keep one of them.")
            seen.add(name)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML mapping from `path`."""
    try:
        value = _parsed(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: {' '.join(str(error).split())}") from error
    if not isinstance(value, dict):
        raise ConfigError(f"{path}: found {type(value).__name__}, expected a mapping of keys to values.")
    return value


@lru_cache(maxsize=1)
def _parsed(text: str) -> Any:
    """A text is parsed only once in a process, and what comes of it is not to be changed."""
    return yaml.load(text, _UniqueKeys)


def typed(node: object, where: str) -> Any:
    """The schema object that an OmegaConf node stands for, after all checks; its type is the node's."""
    try:
        config: Any = OmegaConf.to_object(node)
    except OmegaConfBaseException as error:
        raise explain_omegaconf(error, where) from error
    _refuse_unknown(config, where)
    schema.check_all(config)
    return config


def _refuse_unknown(config: Any, where: str) -> None:
    """Raise ConfigError for a key that is no field. Hydra's `+key=value` adds such a key in spite of the schema."""
    known = type(config).__dataclass_fields__
    for name, value in vars(config).items():
        if name not in known:
            raise unknown_field(type(config), name, where)
        if is_dataclass(value):
            _refuse_unknown(value, where)


def num_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def load_params(layout: Layout) -> schema.Params:
    """params.yaml, checked against its schema."""
    values = read_yaml(layout.params)
    try:
        params: schema.Params = typed(OmegaConf.merge(OmegaConf.structured(schema.Params), values), "params.yaml")
        return params
    except OmegaConfBaseException as error:
        raise explain_omegaconf(error, "params.yaml") from error


def choose_experiments(params: schema.Params, arguments: list[str]) -> list[str]:
    """All experiments of params.yaml, or the one that the only argument `experiment=name` names."""
    if not arguments:
        return list(params.experiments)
    key, _, name = arguments[0].partition("=")
    if len(arguments) > 1 or key != "experiment":
        raise ConfigError(f"found {' '.join(arguments)}, expected nothing or experiment=<name>.")
    if name not in params.experiments:
        raise ConfigError(f"params.yaml: '{name}' is not in experiments {did_you_mean(name, params.experiments)}")
    return [name]


def register_schema(layout: Layout) -> None:
    """Put the schema, and the seed and split of params.yaml, where Hydra's defaults lists find them."""
    _register_classes()
    store = ConfigStore.instance()
    values = read_yaml(layout.params)
    params = {key: values[key] for key in ("seed", "split") if key in values}
    store.store(name="params", node=params)
    store.store(name="split_params", node={"split": params.get("split", {})})


@cache
def _register_classes() -> None:
    """Once in a process: it takes longer than composing an experiment."""
    store = ConfigStore.instance()
    store.store(name="schema", node=Composed)
    store.store(name="prepare_schema", node=schema.PrepareConfig)
    for name, source in SOURCES.items():
        store.store(group="dataset", name=f"{name}_schema", node=source.config(source=name))
    for name, family in FAMILIES.items():
        store.store(group="model", name=f"{name}_schema", node=family.config(family=name))
    for name, trainer in TRAINERS.items():
        store.store(group="trainer", name=f"{name}_schema", node=trainer.config(name=name))
    # So many jobs run at once that their threads together do not exceed this process's cores.
    OmegaConf.register_new_resolver("fair_jobs", lambda threads: max(1, num_cores() // threads))
    # The launcher has stored its own defaults by the time that all plugins are known; a file in conf/ would be merged
    # with these, with a warning each time.
    Plugins.instance()
    store.store(group="hydra/launcher", name="joblib", node=JOBLIB, provider="pipeline")


def config_of(node: DictConfig, choices: Mapping[str, object]) -> Any:
    """The checked schema object of a composed node: a Config or a PrepareConfig, as the primary file says. `choices`
    are the options of Hydra's groups; the dataset and the experiment get their names from them."""
    OmegaConf.set_readonly(node, False)
    if "dataset" in choices:
        node.dataset.name = str(choices["dataset"])
    if "experiment" in choices:
        node.name = str(choices["experiment"])
    config = typed(node, "")
    if isinstance(config, Composed):
        config = config.experiment()
        check_members(config)
    elif isinstance(config, schema.PrepareConfig):
        check_dataset(config.dataset)
    config.dataset.types = sorted(set(SOURCES[config.dataset.source].types(config.dataset)))
    return config


def compose_config(layout: Layout, config_name: str, overrides: list[str]) -> Any:
    """Compose `config_name` of conf/ with Hydra. Raises ConfigError, whose text is one line."""
    try:
        return config_of(*_composed(layout, config_name, overrides))
    except (HydraException, OmegaConfBaseException, yaml.YAMLError) as error:
        raise explain(error) from error


def compose_incomplete(layout: Layout, overrides: list[str]) -> dict[str, Any]:
    """The values that Hydra composes for an experiment, unchecked; one that is still to be given is `???`."""
    try:
        node, _ = _composed(layout, "config", overrides)
        values = OmegaConf.to_container(node, throw_on_missing=False)
    except (HydraException, OmegaConfBaseException, yaml.YAMLError) as error:
        raise explain(error) from error
    assert isinstance(values, dict)
    return {str(key): value for key, value in values.items()}


def _composed(layout: Layout, config_name: str, overrides: list[str]) -> tuple[DictConfig, dict[str, object]]:
    content = content_of(layout)  # before the schema reads params.yaml
    register_schema(layout)
    return compose_node(layout, config_name, overrides, content)


def as_plain(config: "DataclassInstance") -> dict[str, Any]:
    """A schema object as plain lists, mappings and scalars."""
    plain = OmegaConf.to_container(OmegaConf.structured(config), throw_on_missing=False)
    assert isinstance(plain, dict)
    return {str(key): value for key, value in plain.items()}
