"""What a command gets: the resolved configuration of one experiment, of one dataset, or of a prediction."""

from dataclasses import dataclass, field

from omegaconf import MISSING

from pipeline.config.checks import check, check_name
from pipeline.config.data import DatasetConfig, SplitConfig
from pipeline.config.model import ModelConfig
from pipeline.config.trainer import CheckpointConfig, TrainerConfig


@dataclass
class PreprocessingConfig:
    """`standardize` brings numeric features and a regression's target to mean 0 and deviation 1, as measured on the
    training rows."""

    standardize: bool = True


@dataclass
class EvaluationConfig:
    """The number of bootstrap resamples behind each interval, the intervals' coverage, and the resampling's seed."""

    resamples: int = 1000
    confidence: float = 0.95
    seed: int = 0

    def check(self) -> None:
        check(self.resamples >= 100, "evaluation.resamples", self.resamples, "100 or more")
        check(0.5 < self.confidence < 1, "evaluation.confidence", self.confidence, "between 0.5 and 1")


@dataclass
class Config:
    """One resolved experiment. `objective` names the score of a sweep's job, which is taken of the epoch whose weights
    are kept. `output` is the folder that train writes; only DVC's stages set it."""

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
    """One resolved dataset."""

    split: SplitConfig = field(default_factory=SplitConfig)
    dataset: DatasetConfig = field(default_factory=DatasetConfig)


@dataclass
class PredictConfig:
    """Batch prediction: a trained experiment or a model file, the file with the rows, and the file for the
    predictions."""

    model: str = MISSING
    input: str = MISSING
    output: str = MISSING
