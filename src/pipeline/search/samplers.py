"""How the values of a trial are chosen. A sampler of one's own is a function beside these and a line in SAMPLERS.

A sampler is built anew for each trial, with a seed of the search's seed and the trial's number.
"""

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from pipeline.config.sweep import SamplerConfig, SweepConfig
from pipeline.errors import ConfigError, did_you_mean
from pipeline.search.options import refuse_unused
from pipeline.search.parameter import Parameter, Value
from pipeline.search.space import Space

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler
    from optuna.study import Study
    from optuna.trial import FrozenTrial

SEEDS = 2**32


@dataclass(frozen=True)
class Ask:
    """What a sampler is built for: the trial `number` of those that it chooses in a search."""

    settings: SweepConfig
    space: Space
    number: int

    @property
    def seed(self) -> int:
        """A seed of its own for each trial."""
        text = f"{self.settings.seed} {self.number}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % SEEDS


@dataclass(frozen=True)
class Sampler:
    """`options` are the fields of SamplerConfig that it reads. `package` must be installed for it. `refused` says what
    of a space it cannot search, or nothing."""

    build: "Callable[[Ask], BaseSampler]"
    options: tuple[str, ...] = ()
    several_objectives: bool = False
    package: str = ""
    refused: Callable[[Space], str] = lambda space: ""


def tpe(ask: Ask) -> "BaseSampler":
    """Tree-structured Parzen estimator (Bergstra et al. 2011), of all parameters together; those that depend on others
    in groups of their own. Trials without a result count as bad ones, so that they are not tried twice."""
    from optuna.samplers import TPESampler

    conditional = ask.space.conditional
    together = {} if conditional else ask.space.distributions

    class OneSpace(TPESampler):
        def infer_relative_search_space(self, study: "Study", trial: "FrozenTrial") -> "dict[str, BaseDistribution]":
            """What all trials have in common is known, and need not be found in each of them again."""
            return together or super().infer_relative_search_space(study, trial)

    return OneSpace(
        n_startup_trials=ask.settings.sampler.startup,
        multivariate=True,
        group=conditional,
        constant_liar=True,
        seed=ask.seed,
    )


def gp(ask: Ask) -> "BaseSampler":
    """Gaussian process with expected improvement."""
    from optuna.samplers import GPSampler

    return GPSampler(n_startup_trials=ask.settings.sampler.startup, deterministic_objective=True, seed=ask.seed)


def cmaes(ask: Ask) -> "BaseSampler":
    """Covariance matrix adaptation (Hansen 2016) over numbers; other parameters are chosen at random."""
    from optuna.samplers import CmaEsSampler

    return CmaEsSampler(n_startup_trials=ask.settings.sampler.startup, warn_independent_sampling=False, seed=ask.seed)


def nsga2(ask: Ask) -> "BaseSampler":
    """NSGA-II (Deb et al. 2002), an evolutionary search for a Pareto front; `startup` is the size of a generation."""
    from optuna.samplers import NSGAIISampler

    return NSGAIISampler(population_size=max(2, ask.settings.sampler.startup), seed=ask.seed)


def random(ask: Ask) -> "BaseSampler":
    from optuna.samplers import RandomSampler

    return RandomSampler(seed=ask.seed)


def qmc(ask: Ask) -> "BaseSampler":
    """The scrambled Sobol sequence: trial t takes its point t, with one coordinate for each parameter."""
    from scipy.stats.qmc import Sobol

    from pipeline.search.view import FixedPoint

    parameters = ask.space.parameters
    sequence = Sobol(len(parameters), scramble=True, rng=ask.settings.seed)
    if ask.number:
        sequence.fast_forward(ask.number)
    point = sequence.random(1)[0]
    return FixedPoint({each.key: value_at(each, float(where)) for each, where in zip(parameters, point, strict=True)})


def value_at(parameter: Parameter, where: float) -> Value:
    """The value that stands at `where` of the way, 0 <= where < 1, through a parameter's values."""
    if parameter.size:
        return parameter.value(math.floor(where * parameter.size))
    # A whole number stands for all that is rounded to it, so that the ends come as often as the others.
    margin = 0.5 if parameter.whole else 0.0
    low, high = parameter.low - margin, parameter.high + margin
    value = (
        math.exp(math.log(low) + where * (math.log(high) - math.log(low)))
        if parameter.log
        else low + where * (high - low)
    )
    if parameter.whole:
        value = math.floor(value + 0.5)
    return min(max(value, parameter.low), parameter.high)


def grid(ask: Ask) -> "BaseSampler":
    """Every combination once, in a fixed order."""
    from pipeline.search.view import FixedPoint

    return FixedPoint(ask.space.grid_points[ask.number])


def _no_plane(space: Space) -> str:
    numbers = [each.key for each in space.parameters if each.numeric and not each.when]
    return "" if len(numbers) >= 2 else f"needs two numbers or more to search, found {', '.join(numbers) or 'none'}"


SAMPLERS: dict[str, Sampler] = {
    "tpe": Sampler(tpe, options=("startup",), several_objectives=True),
    "gp": Sampler(gp, options=("startup",), several_objectives=True, package="torch"),
    "cmaes": Sampler(cmaes, options=("startup",), package="cmaes", refused=_no_plane),
    "nsga2": Sampler(nsga2, options=("startup",), several_objectives=True),
    "random": Sampler(random, several_objectives=True),
    "qmc": Sampler(qmc, several_objectives=True),
    "grid": Sampler(grid, several_objectives=True),
}


def check_sampler(settings: SweepConfig, space: Space, objectives: int) -> None:
    """Raise ConfigError unless the sampler is known and can do what is asked."""
    name = settings.sampler.name
    if name not in SAMPLERS:
        raise ConfigError(f"sweep.sampler.name: '{name}' is unknown {did_you_mean(name, SAMPLERS)}")
    sampler = SAMPLERS[name]
    refuse_unused("sweep.sampler", settings.sampler, SamplerConfig(), sampler.options)
    if sampler.package and find_spec(sampler.package) is None:
        raise ConfigError(
            f"sweep.sampler.name={name} needs the package {sampler.package}, which is not installed. Install it "
            f"(.venv/bin/python -m pip install {sampler.package}), or use tpe."
        )
    if objectives > 1 and not sampler.several_objectives:
        fits = ", ".join(other for other, member in SAMPLERS.items() if member.several_objectives)
        raise ConfigError(f"sweep.sampler.name={name} has one objective, found {objectives}. Use one of: {fits}.")
    if reason := sampler.refused(space):
        raise ConfigError(f"sweep.sampler.name={name} {reason}. Use tpe.")
    if name == "grid":
        _ = space.grid_points
