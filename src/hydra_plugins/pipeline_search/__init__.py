"""Hydra's sweepers: `search`, which conf/sweep/ chooses, and `basic`, the one for grids. Hydra looks for plugins in
this package alone.

Hydra imports it at the start of each command, so all else is imported when a sweep begins.
"""

from pathlib import Path
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.config_store import ConfigStore
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class SearchSweeper(Sweeper):  # type: ignore[misc]
    """Hydra composes the settings, and our own workers run the trials."""

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.config = config

    def sweep(self, arguments: list[str]) -> Any:
        from pipeline.sweeping.command import search

        search(self.config, arguments)


class GridSweeper(BasicSweeper):  # type: ignore[misc]
    """Hydra's own sweeper, which runs a grid that is not too large, and keeps its records and a page in its folder."""

    def sweep(self, arguments: list[str]) -> Any:
        from pipeline.sweeping.grids import check_grid, kept_grid

        assert self.config is not None
        assert self.hydra_context is not None
        check_grid([*self._parse_config(), *arguments], self.hydra_context.config_loader)
        with kept_grid(Path(self.config.hydra.sweep.dir)):
            return super().sweep(arguments)


GRID = {"_target_": "hydra_plugins.pipeline_search.GridSweeper", "max_batch_size": None, "params": None}
SEARCH = {"_target_": "hydra_plugins.pipeline_search.SearchSweeper"}
for name, node in {"basic": GRID, "search": SEARCH}.items():
    ConfigStore.instance().store(group="hydra/sweeper", name=name, node=node, provider="pipeline")
