"""Hydra's sweeper `search`, which conf/sweep/ chooses. Hydra looks for plugins in this package alone.

Hydra imports it at the start of each command, so all else is imported when a search begins.
"""

from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

ConfigStore.instance().store(
    group="hydra/sweeper",
    name="search",
    node={"_target_": "hydra_plugins.pipeline_search.SearchSweeper"},
    provider="pipeline",
)


class SearchSweeper(Sweeper):  # type: ignore[misc]
    """Hydra composes the settings, and our own workers run the trials."""

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.config = config

    def sweep(self, arguments: list[str]) -> Any:
        from pipeline.sweeping.command import search

        search(self.config, arguments)
