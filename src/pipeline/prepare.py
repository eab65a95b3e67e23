"""`python -m pipeline.prepare dataset=digits`: read a source and deal its rows into splits."""

from pipeline.cli import hydra_command
from pipeline.config import PrepareConfig
from pipeline.layout import SPLITS, Layout


def prepare(config: PrepareConfig) -> None:
    """Write train, validation and test as Parquet, schema.json, and summary.json (rows by split and class)."""
    from pipeline.data.preparing import write_prepared

    name = config.dataset.name
    summary = write_prepared(config, Layout.find().prepared(name))
    print(f"{name}: " + ", ".join(f"{summary[split]['rows']} {split}" for split in SPLITS) + " rows")


def main() -> None:
    hydra_command(prepare, "prepare")


if __name__ == "__main__":
    main()
