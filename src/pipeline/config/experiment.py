"""What a command gets: one experiment, one data set, or rows to predict, resolved."""

from dataclasses import dataclass, field

from omegaconf import MISSING

from pipeline.config.checks import check, check_name
from pipeline.config.data import DatasetConfig, SplitConfig
from pipeline.config.model import ModelConfig
from pipeline.config.trainer import CheckpointConfig, TrainerConfig


@dataclass
class PreprocessingConfig:
    """`standardize`: numeric features and a regression's target to mean 0, deviation 1 of the training rows."""

    standardize: bool = True


@dataclass
class EvaluationConfig:
    """Bootstrap resamples behind each interval, the intervals' coverage, and the resampling's seed."""

    resamples: int = 1000
    confidence: float = 0.95
    seed: int = 0

    def check(self) -> None:
        check(self.resamples >= 100, "evaluation.resamples", self.resamples, "100 or more")
        check(0.5 < self.confidence < 1, "evaluation.confidence", self.confidence, "between 0.5 and 1")


@dataclass
class Config:
    """One experiment, resolved. `objective` is the score of a sweep's job, of the epoch whose weights are kept.
    `output` is where train writes; DVC's stages name it."""

    name: str = MISSING
    seed: int = MISSING
    split: SplitConfig = field(default_factory=SplitConfig)
    dataset: DatasetConfig = field(default_factory=DatasetConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    preprocessing: PreprocessingConfig = field(default_factory=PreprocessingConfig)
    trainer: TrainerConfig = field(default_factory=TrainerConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    checkpoint: CheckpointConfig = field(default_factory=CheckpointConfig)
    objective: str = "val_loss"
    output: str | None = None

    def check(self) -> None:
        check_name("experiment", self.name)
        check(self.seed >= 0, "params.yaml: seed", self.seed, "0 or more")


@dataclass
class PrepareConfig:
    """One data set, resolved."""

    split: SplitConfig = field(default_factory=SplitConfig)
    dataset: DatasetConfig = field(default_factory=DatasetConfig)


@dataclass
class PredictConfig:
    """Batch prediction: a model file, rows in, predictions out."""

    model: str = MISSING
    input: str = MISSING
    output: str = MISSING
