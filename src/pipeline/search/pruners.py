"""When a trial that does badly is stopped. A pruner of one's own is a function beside these and a line in PRUNERS.

Epochs count from 1. A pruner compares the values of the first objective, epoch by epoch.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.config.sweep import PrunerConfig, SweepConfig
from pipeline.errors import ConfigError, did_you_mean
from pipeline.search.options import refuse_unused

if TYPE_CHECKING:
    from optuna.pruners import BasePruner


@dataclass(frozen=True)
class Pruner:
    """`options` are the fields of PrunerConfig that it reads."""

    build: "Callable[[PrunerConfig], BasePruner]"
    options: tuple[str, ...] = ()


def none(config: PrunerConfig) -> "BasePruner":
    from optuna.pruners import NopPruner

    return NopPruner()


def percentile(config: PrunerConfig) -> "BasePruner":
    """Stops a trial whose best value so far is not among the best `percentile` of the values at this epoch."""
    from optuna.pruners import PercentilePruner

    # A trial may be stopped from Optuna's step `n_warmup_steps` on, which is the epoch after the warm-up.
    return PercentilePruner(
        config.percentile,
        n_startup_trials=config.startup_trials,
        n_warmup_steps=config.warmup_epochs + 1,
        interval_steps=config.interval_epochs,
    )


def median(config: PrunerConfig) -> "BasePruner":
    """Stops a trial whose best value so far is worse than the median of the values at this epoch."""
    from optuna.pruners import MedianPruner

    return MedianPruner(config.startup_trials, config.warmup_epochs + 1, config.interval_epochs)


def patient(config: PrunerConfig) -> "BasePruner":
    """As median, but only a trial that had no better value for `patience` epochs."""
    from optuna.pruners import PatientPruner

    return PatientPruner(median(config), config.patience)


def halving(config: PrunerConfig) -> "BasePruner":
    """Successive halving (Li et al. 2020): at epochs `min_epochs`, times `reduction`, and so on, the best one in
    `reduction` goes on."""
    from optuna.pruners import SuccessiveHalvingPruner

    return SuccessiveHalvingPruner(config.min_epochs, config.reduction)


def hyperband(config: PrunerConfig) -> "BasePruner":
    """Hyperband (Li et al. 2018): several halvings, which begin at different epochs."""
    from optuna.pruners import HyperbandPruner

    return HyperbandPruner(config.min_epochs, config.max_epochs, config.reduction)


_MEDIAN = ("warmup_epochs", "startup_trials", "interval_epochs")

PRUNERS: dict[str, Pruner] = {
    "none": Pruner(none),
    "median": Pruner(median, options=_MEDIAN),
    "percentile": Pruner(percentile, options=(*_MEDIAN, "percentile")),
    "patient": Pruner(patient, options=(*_MEDIAN, "patience")),
    "halving": Pruner(halving, options=("min_epochs", "reduction")),
    "hyperband": Pruner(hyperband, options=("min_epochs", "max_epochs", "reduction")),
}


def check_pruner(settings: SweepConfig, objectives: int) -> None:
    """Raise ConfigError unless the pruner is known and can do what is asked."""
    config = settings.pruner
    name = config.name
    if name not in PRUNERS:
        raise ConfigError(f"sweep.pruner.name: '{name}' is unknown {did_you_mean(name, PRUNERS)}")
    if name == "none":
        return  # also where a file in conf/sweep/ has set options for the pruner that the command line turns off
    refuse_unused("sweep.pruner", config, PrunerConfig(), PRUNERS[name].options)
    if objectives > 1:
        raise ConfigError(f"sweep.pruner.name={name} compares one objective, found {objectives}. Use none.")
    if settings.objectives == ["parameters"]:
        raise ConfigError(f"sweep.pruner.name={name}: 'parameters' is the same in each epoch. Use none.")
    if name == "hyperband" and not config.max_epochs:
        raise ConfigError("sweep.pruner.max_epochs: found 0, expected the epochs of a whole training, for hyperband.")
