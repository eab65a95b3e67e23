"""Which members go together: a family with a dataset, a trainer with a family, an objective with a task."""

from pipeline.config import AugmentationConfig, Config, DatasetConfig, TrainerConfig
from pipeline.config.checks import one_of
from pipeline.data.sources import SOURCES
from pipeline.errors import ConfigError
from pipeline.model.augmentation import AUGMENTATIONS
from pipeline.model.families import FAMILIES
from pipeline.model.families.family import Family
from pipeline.model.inputs import INPUTS
from pipeline.model.inputs.kind import kinds_of, stand_together
from pipeline.tasks import TASKS, objectives
from pipeline.tensorflow_process import INSTRUCTION_SETS
from pipeline.training import TRAINERS
from pipeline.training.distribution import NONE, STRATEGIES
from pipeline.training.optimizers import OPTIMIZERS, SCHEDULES


def check_dataset(dataset: DatasetConfig) -> None:
    """Raise ConfigError for what no member answers to."""
    one_of("dataset.source", dataset.source, tuple(SOURCES))
    check_chosen("dataset.source", dataset.source, dataset, SOURCES[dataset.source].config)
    one_of("dataset.task", dataset.task, tuple(TASKS))
    for name in SOURCES[dataset.source].types(dataset):
        one_of("dataset.types", name, tuple(INPUTS))


def check_members(config: Config) -> None:
    """Raise ConfigError unless the dataset, family, trainer and objective of an experiment go together."""
    check_dataset(config.dataset)
    one_of("model.family", config.model.family, tuple(FAMILIES))
    check_chosen("model.family", config.model.family, config.model, FAMILIES[config.model.family].config)
    one_of("trainer.name", config.trainer.name, tuple(TRAINERS))
    check_chosen("trainer.name", config.trainer.name, config.trainer, TRAINERS[config.trainer.name].config)
    task = TASKS[config.dataset.task]
    check_family(config.model.family, config.dataset)
    one_of("objective", config.objective, objectives(task))
    one_of("trainer.strategy", config.trainer.strategy, STRATEGIES)
    one_of("trainer.instruction_set", config.trainer.instruction_set, ("auto", "native", *INSTRUCTION_SETS))
    one_of("trainer.optimizer.name", config.trainer.optimizer.name, tuple(OPTIMIZERS))
    one_of("trainer.optimizer.schedule", config.trainer.optimizer.schedule, tuple(SCHEDULES))
    if config.trainer.class_weight != "none" and not task.has_classes:
        raise ConfigError(
            f"trainer.class_weight={config.trainer.class_weight} is for classes, but dataset {config.dataset.name} "
            f"asks for {task.name}. Set it to none."
        )
    check_augmentation(config.trainer.augmentation, config.model.family, config.dataset)
    check_trainer(config.trainer, config.model.family)


def check_augmentation(config: AugmentationConfig, family: str, dataset: DatasetConfig) -> None:
    """Raise ConfigError for changes of something else than the dataset has, or than the family takes."""
    types = SOURCES[dataset.source].types(dataset)
    known = {name: AUGMENTATIONS[name] for name in dict.fromkeys(types) if name in AUGMENTATIONS}
    for option in config.asked:
        if not any(option in found.options for found in known.values()):
            meant = " or ".join(name for name, found in AUGMENTATIONS.items() if option in found.options)
            takes = "; ".join(f"{name} takes {', '.join(found.options)}" for name, found in known.items())
            raise ConfigError(
                f"trainer.augmentation.{option} changes {meant} columns, but dataset {dataset.name} has "
                f"{', '.join(dict.fromkeys(types))}. Set it to 0; {takes or 'these have none'}."
            )
    for of, found in known.items():
        kinds = {name: kinds_of(types, other.accepts)[of] for name, other in FAMILIES.items()}
        if found.asked(config) and kinds[family] not in found.kinds:
            fits = [
                other for other in FAMILIES if kinds[other] in found.kinds and dataset.task in FAMILIES[other].tasks
            ]
            others = f", or choose one of: {', '.join(fits)}" if fits else ""
            raise ConfigError(
                f"trainer.augmentation.{found.asked(config)[0]} changes {' or '.join(found.kinds)}, but model {family} "
                f"takes {of} as a {kinds[family]}. Set it to 0{others}."
            )


def check_chosen(key: str, name: str, config: object, expected: type) -> None:
    """Raise ConfigError where a member was named by its key alone: its configuration is then another member's."""
    if type(config) is not expected:
        group = key.partition(".")[0]
        how = f"Choose it by {group}={name}" if group != "dataset" else f"Begin its YAML with defaults: [{name}_schema]"
        raise ConfigError(f"{key}={name} alone leaves the settings of another {group}. {how}.")


def check_trainer(config: TrainerConfig, family: str) -> None:
    """Raise ConfigError unless the trainer can train `family`, and can do what its configuration asks of it."""
    trainer, strategy = TRAINERS[config.name], config.strategy
    if trainer.convex_only and not FAMILIES[family].convex:
        convex = " and ".join(name for name, other in FAMILIES.items() if other.convex)
        fits = " or ".join(name for name, other in TRAINERS.items() if not other.convex_only)
        raise ConfigError(f"trainer {config.name} solves {convex} models, found {family}. Use trainer={fits}.")
    if strategy != NONE and not trainer.takes_strategies:
        fits = " or ".join(name for name, other in TRAINERS.items() if other.takes_strategies)
        raise ConfigError(f"trainer.strategy={strategy} needs trainer={fits}, found {config.name}.")
    if config.xla == "on" and (strategy != NONE or not trainer.takes_xla):
        fits = " or ".join(name for name, other in TRAINERS.items() if other.takes_xla)
        found = f"trainer={config.name}" if strategy == NONE else f"trainer.strategy={strategy}"
        raise ConfigError(f"trainer.xla=on is for trainer={fits} without a strategy, found {found}.")


def check_family(family: str, dataset: DatasetConfig) -> None:
    """Raise ConfigError unless `family` can take what `dataset` gives and answer what it asks."""
    types = SOURCES[dataset.source].types(dataset)
    found = FAMILIES[family]
    fits = [
        name
        for name, other in FAMILIES.items()
        if not refused(other, types) and stand_together(types, other.accepts) and dataset.task in other.tasks
    ]
    if not stand_together(types, found.accepts):
        raise ConfigError(
            f"model {family} does not take columns of the types {', '.join(types)} of dataset {dataset.name} together. "
            f"Choose one of: {', '.join(fits)}."
        )
    if kinds := refused(found, types):
        raise ConfigError(
            f"model {family} takes {' or '.join(found.accepts)} features, but dataset {dataset.name} "
            f"({', '.join(types)}) gives a {' and a '.join(kinds)}. Choose one of: {', '.join(fits)}."
        )
    if dataset.task not in found.tasks:
        raise ConfigError(
            f"model {family} answers {' or '.join(found.tasks)}, but dataset {dataset.name} asks for {dataset.task}. "
            f"Choose one of: {', '.join(fits)}."
        )


def refused(family: Family, types: list[str]) -> list[str]:
    """The kinds of features that columns of these types become, but the family does not take."""
    kinds = kinds_of(types, family.accepts).values()
    return [kind for kind in dict.fromkeys(kinds) if kind not in family.accepts]
