"""Which members go together: a family with a dataset, a trainer with a family, an objective with a task."""

from pipeline.config import Config, DatasetConfig
from pipeline.config.checks import one_of
from pipeline.errors import ConfigError, did_you_mean
from pipeline.model.families import FAMILIES
from pipeline.model.preprocessing import PREPROCESSING
from pipeline.tasks import TASKS, objectives
from pipeline.training import TRAINERS


def check_dataset(dataset: DatasetConfig) -> None:
    """Raise ConfigError for a task or modality that no registry holds."""
    one_of("dataset.task", dataset.task, tuple(TASKS))
    one_of("dataset.modality", dataset.modality, tuple(PREPROCESSING))


def check_members(config: Config) -> None:
    """Raise ConfigError unless the dataset, family, trainer and objective of an experiment go together."""
    check_dataset(config.dataset)
    task, family = TASKS[config.dataset.task], config.model.family
    check_family(family, config.dataset)
    one_of("objective", config.objective, objectives(task))
    if config.trainer.class_weight != "none" and not task.has_classes:
        raise ConfigError(
            f"trainer.class_weight={config.trainer.class_weight} is for classes, but dataset {config.dataset.name} "
            f"asks for {task.name}. Set it to none."
        )
    one_of("trainer.name", config.trainer.name, tuple(TRAINERS))
    if config.trainer.name == "exact" and not FAMILIES[family].convex:
        convex = " and ".join(name for name, other in FAMILIES.items() if other.convex)
        raise ConfigError(f"trainer exact solves {convex} models, found {family}. Use trainer=compiled.")


def check_family(family: str, dataset: DatasetConfig) -> None:
    """Raise ConfigError unless `family` accepts the features that `dataset` gives and can answer its task."""
    if family not in FAMILIES:
        raise ConfigError(f"model.family: '{family}' is unknown {did_you_mean(family, FAMILIES)}")
    kind, found = PREPROCESSING[dataset.modality].gives, FAMILIES[family]
    fits = [name for name, other in FAMILIES.items() if kind in other.accepts and dataset.task in other.tasks]
    if kind not in found.accepts:
        raise ConfigError(
            f"model {family} takes {' or '.join(found.accepts)} features, but dataset {dataset.name} "
            f"({dataset.modality}) gives a {kind}. Choose one of: {', '.join(fits)}."
        )
    if dataset.task not in found.tasks:
        raise ConfigError(
            f"model {family} answers {' or '.join(found.tasks)}, but dataset {dataset.name} asks for {dataset.task}. "
            f"Choose one of: {', '.join(fits)}."
        )
