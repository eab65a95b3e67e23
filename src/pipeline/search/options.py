"""The options of samplers and pruners, each of which reads some of them."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from pipeline.config.sweep import SweepConfig
from pipeline.errors import ConfigError


def refuse_unused(where: str, config: object, default: object, options: tuple[str, ...]) -> None:
    """Raise ConfigError for an option that was changed and that the chosen member does not read."""
    for key, value in vars(config).items():
        if key != "name" and key not in options and value != getattr(default, key):
            name = vars(config)["name"]
            reads = f"reads {', '.join(options)}" if options else "has no options"
            raise ConfigError(f"{where}.{key}={value}: {name} does not read it; it {reads}. Leave it out.")


def for_another(
    settings: SweepConfig, part: str, options: Mapping[str, tuple[str, ...]], given: Collection[str]
) -> SweepConfig:
    """The settings with a sampler or a pruner (`part`) that the command gives instead of that of a file in conf/sweep/.
    What the file has set for its own one, and the command's does not read, is as if it were not set. `options` are
    those of each member, `given` are the keys that the command itself gives."""
    config = getattr(settings, part)
    if f"sweep.{part}.name" not in given or config.name not in options:
        return settings
    read = ("name", *options[config.name])
    kept = {key: value for key, value in vars(config).items() if key in read or f"sweep.{part}.{key}" in given}
    return replace(settings, **{part: type(config)(**kept)})
