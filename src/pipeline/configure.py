"""`python -m pipeline.configure`: compose every dataset and experiment of params.yaml, one resolved file each.

DVC does not compose Hydra. This stage does, and each later stage depends on a file of its own here, which holds the
values that it uses and digests of the code that it can reach: so an edit reruns exactly the stages that it touches.
"""

from typing import TYPE_CHECKING, Any

import yaml

from pipeline.cli import run_command
from pipeline.config import PrepareConfig
from pipeline.errors import ConfigError

if TYPE_CHECKING:
    from pipeline.layout import Layout


def configure() -> None:
    """Write build/config/experiments/*.yaml for people to read, and the files that the stages depend on. All of them
    are written, or none."""
    from pipeline import stages
    from pipeline.compose import as_plain, compose_config, load_params
    from pipeline.files import replacing_folder
    from pipeline.layout import Layout

    layout = Layout.find()
    params = load_params(layout)
    datasets = {
        name: prepared_from(layout, compose_config(layout, "prepare", [f"dataset={name}"])) for name in params.datasets
    }
    experiments: dict[str, dict[str, Any]] = {}
    for name, dataset in params.experiments.items():
        resolved = as_plain(compose_config(layout, "config", [f"experiment={name}"]))
        check_dataset(name, dataset, resolved["dataset"], datasets[dataset]["dataset"])
        experiments[name] = resolved
    written = {layout.resolved_experiment(name): values for name, values in experiments.items()}
    for name, values in datasets.items():
        written[stages.resolved_file(layout, "prepare", name)] = stages.used_by(layout, "prepare", values)
    for stage in ("train", "evaluate"):
        for name, values in experiments.items():
            written[stages.resolved_file(layout, stage, name)] = stages.used_by(layout, stage, values)
    written[stages.resolved_file(layout, "register")] = stages.used_by(layout, "register", {})
    with replacing_folder(layout.resolved) as folder:
        for path, values in written.items():
            place = folder / path.relative_to(layout.resolved)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(yaml.safe_dump(values), encoding="utf-8")
    drop_leftovers(layout, list(experiments))
    print(f"configured {len(experiments)} experiments on {len(datasets)} datasets")


def prepared_from(layout: "Layout", config: PrepareConfig) -> dict[str, Any]:
    """What a dataset's splits are made from: its configuration, and digests of the files from which its rows come,
    which are fetched if they have to be. Prints which files DVC does not watch."""
    from pipeline.compose import as_plain
    from pipeline.data.downloads import fetch
    from pipeline.data.formats.remote import is_url
    from pipeline.data.raw_files import digests_of_files

    fetch(config.dataset, layout)
    files = digests_of_files(config.dataset, layout)
    if urls := [path for path in files if is_url(path)]:
        print(f"{config.dataset.name}: DVC does not notice when {urls[0]} changes. To look: dvc repro -f configure")
    if others := [path for path in files if path not in urls and not (layout.root / path).is_relative_to(layout.raw)]:
        print(
            f"{config.dataset.name}: DVC does not notice when {others[0]} changes, because it is not in "
            f"{layout.raw.relative_to(layout.root)}/. Copy or link it there."
        )
    return as_plain(config) | {"files": files}


def drop_leftovers(layout: "Layout", experiments: list[str]) -> None:
    """Remove the outputs of experiments that params.yaml no longer names, because `register` depends on the folders
    that hold them. DVC's cache still has their content."""
    import shutil

    for place in (layout.trained, layout.evaluated):
        kept = {place(name) for name in experiments}
        # An experiment's name may hold a folder, as team/small does.
        holders = {parent for path in kept for parent in path.parents}
        top = place("x").parent
        for path in sorted(top.rglob("*")) if top.is_dir() else ():
            if path.is_dir() and path not in kept | holders and not kept & set(path.parents):
                shutil.rmtree(path, ignore_errors=True)


def check_dataset(experiment: str, named: str, chosen: dict[str, Any], prepared: dict[str, Any]) -> None:
    """Raise ConfigError unless the experiment trains on the very dataset that params.yaml has prepared."""
    if chosen["name"] != named:
        raise ConfigError(
            f"params.yaml maps experiment {experiment} to dataset '{named}', but conf/experiment/{experiment}.yaml "
            f"chooses '{chosen['name']}'. Make them agree."
        )
    for key, value in chosen.items():
        if prepared[key] != value:
            raise ConfigError(
                f"conf/experiment/{experiment}.yaml sets dataset.{key} to {value!r}, but dataset {named} is prepared "
                f"with {prepared[key]!r}. Make a dataset of its own in conf/dataset/ instead."
            )


def main() -> None:
    run_command(configure)


if __name__ == "__main__":
    main()
