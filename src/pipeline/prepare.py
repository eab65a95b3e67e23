"""`python -m pipeline.prepare dataset=digits`: read a source and deal its rows into splits."""

from pipeline.config import PrepareConfig
from pipeline.hydra_command import hydra_command
from pipeline.layout import SPLITS, Layout


def prepare(config: PrepareConfig) -> None:
    """Write train, validation and test as Parquet, schema.json, summary.json (rows by split and class, and what was
    left out) and manifest.json (bytes and digest of each split); and, for people and for `drift`, statistics.json and
    page.html."""
    from pipeline.data.downloads import fetch
    from pipeline.data.writing import write_prepared
    from pipeline.files import replacing_folder

    name = config.dataset.name
    layout = Layout.find()
    fetch(config.dataset, layout)
    with replacing_folder(layout.prepared(name)) as folder, replacing_folder(layout.described(name)) as described:
        summary = write_prepared(config, folder, layout.root, described)
    print(f"{name}: " + ", ".join(f"{summary[split]['rows']} {split}" for split in SPLITS) + " rows")


def main() -> None:
    hydra_command(prepare, "prepare")


if __name__ == "__main__":
    main()
