"""params.yaml: what one reproduction consists of, and when a model of it is promoted."""

from dataclasses import dataclass, field

from omegaconf import MISSING

from pipeline.config.checks import check, check_name
from pipeline.config.data import SplitConfig
from pipeline.errors import ConfigError, did_you_mean


@dataclass
class PromotionConfig:
    """When a challenger becomes champion: the `minima` that its test metrics must meet, by experiment and metric, and
    the one-sided `confidence` of the paired comparison, which uses `resamples` bootstrap resamples of the test rows."""

    confidence: float = 0.95
    resamples: int = 10000
    minima: dict[str, dict[str, float]] = field(default_factory=dict)

    def check(self) -> None:
        check(0.5 <= self.confidence < 1, "promotion.confidence", self.confidence, "0.5 or more, under 1")
        check(self.resamples >= 100, "promotion.resamples", self.resamples, "100 or more")


@dataclass
class Params:
    """params.yaml: the few values that define one reproduction."""

    seed: int = MISSING
    split: SplitConfig = field(default_factory=SplitConfig)
    datasets: list[str] = MISSING
    experiments: dict[str, str] = MISSING
    promotion: PromotionConfig = field(default_factory=PromotionConfig)

    def check(self) -> None:
        flat: dict[str, str] = {}
        for name in self.experiments:
            other = flat.setdefault(name.replace("/", "."), name)
            if other != name:
                raise ConfigError(f"params.yaml: experiments '{other}' and '{name}' would share a model. Rename one.")
        for name in (*self.experiments, *self.datasets):
            check_name("params.yaml: name", name)
        for experiment, dataset in self.experiments.items():
            if dataset not in self.datasets:
                raise ConfigError(
                    f"params.yaml: experiment {experiment} uses '{dataset}', which is not in datasets "
                    f"{did_you_mean(dataset, self.datasets)}"
                )
        for experiment in self.promotion.minima:
            if experiment not in self.experiments:
                raise ConfigError(
                    f"params.yaml: promotion.minima names '{experiment}', which is not in experiments "
                    f"{did_you_mean(experiment, self.experiments)}"
                )
