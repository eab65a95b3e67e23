"""What a source is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipeline.config import DatasetConfig
from pipeline.data.table import Table


@dataclass(frozen=True)
class Source:
    """`config` is the dataclass of the source's configuration. `load(config)` returns all rows.

    A source for NumPy archives, for example, in the file data/sources/npz.py::

        @dataclass
        class NpzDataset(DatasetConfig):
            path: str = MISSING

        def load(config: NpzDataset) -> Table:
            arrays = np.load(config.path)
            x, y = arrays["x"].astype(np.float32), arrays["y"].astype(np.float32)
            names = [f"x{i}" for i in range(x.shape[1])]
            features = [Feature(name, NUMERIC, "float32", []) for name in names]
            return Table(features, dict(zip(names, x.T)), y, "y", classes=[])

        SOURCE = Source(NpzDataset, load)

    With `"npz": npz.SOURCE` in SOURCES, conf/dataset/sensors.yaml describes a dataset of it::

        defaults:
          - npz_schema

        path: data/raw/sensors.npz
        modality: table
        task: regression
    """

    config: type[DatasetConfig]
    load: Callable[[Any], Table]
