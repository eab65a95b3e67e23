"""One training by its data, its name and its folders, before and after it happens."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.config import Config
from pipeline.layout import Layout

if TYPE_CHECKING:
    from pipeline.identity import Identity


@dataclass(frozen=True)
class Run:
    """One training. `prepared` is the folder of its splits, `folder` its own folder in runs/ with its journal and
    checkpoints, and `output` the folder that gets the model and its predictions."""

    config: Config
    layout: Layout
    prepared: Path
    identity: "Identity"
    folder: Path
    output: Path


def identified(config: Config, layout: Layout) -> Run:
    """Find what is to be trained: its data (prepared if they are missing), its identity, and where it writes."""
    from pipeline.data.folders import prepared_folder
    from pipeline.identity import identify

    prepared = prepared_folder(config, layout)
    identity = identify(config, layout, prepared)
    folder = layout.run(identity["identity"])
    return Run(config, layout, prepared, identity, folder, Path(config.output) if config.output else folder / "output")
