"""The typed schema of conf/ and params.yaml. Defaults stand here, choices in conf/, knobs in params.yaml.

A key that is not a field, a value of the wrong type or out of range is refused before any work is done.
`check` holds what types cannot say; it is a method of its own because OmegaConf makes instances whose fields
are still missing.
"""

import math
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from omegaconf import MISSING

from pipeline.errors import ConfigError, did_you_mean

REGRESSION, BINARY, MULTICLASS = TASKS = ("regression", "binary", "multiclass")


def _check(condition: bool, where: str, found: Any, expected: str) -> None:
    if not condition:
        raise ConfigError(f"{where}: found {found!r}, expected {expected}.")


def _one_of(where: str, found: str, known: tuple[str, ...]) -> None:
    if found not in known:
        raise ConfigError(f"{where}: '{found}' is unknown {did_you_mean(found, known)}")


@dataclass
class SplitConfig:
    """How rows are dealt out. Its seed is not the training seed: another seed moves no row."""

    seed: int = MISSING
    test: float = MISSING
    validation: float = MISSING

    def check(self) -> None:
        for name in ("test", "validation"):
            value = getattr(self, name)
            _check(0 < value < 1, f"params.yaml: split.{name}", value, "a fraction between 0 and 1")
        total = self.test + self.validation
        _check(total < 1, "params.yaml: split.test + split.validation", total, "less than 1")


@dataclass
class DatasetConfig:
    """One data set: where its rows come from, what they are, what is asked of them. `weight` names a numeric column
    that says how much a row counts in training (not in evaluation)."""

    name: str = MISSING
    source: str = MISSING
    modality: str = MISSING
    task: str = MISSING
    split: str = "hash"
    weight: str | None = None

    def check(self) -> None:
        _one_of("dataset.task", self.task, TASKS)
        _one_of("dataset.split", self.split, ("hash", "none"))
        _one_of("dataset.modality", self.modality, ("table", "image"))


@dataclass
class SklearnDataset(DatasetConfig):
    """A data set that ships with scikit-learn: `load_<loader>()`."""

    source: str = "sklearn"
    loader: str = MISSING


@dataclass
class InlineDataset(DatasetConfig):
    """A few numeric rows written in the YAML itself; the last column is the target."""

    source: str = "inline"
    columns: list[str] = MISSING
    rows: list[list[float]] = MISSING


@dataclass
class ModelConfig:
    """What every family has; `l2` is the penalty on the head's weights."""

    family: str = MISSING
    l2: float = 0.0

    def check(self) -> None:
        _check(self.l2 >= 0, "model.l2", self.l2, "0 or more")


@dataclass
class LinearConfig(ModelConfig):
    family: str = "linear"


@dataclass
class LogisticConfig(ModelConfig):
    family: str = "logistic"


def _widths(found: Any) -> Any:
    """One width, as a sweep writes it (`model.filters=8,16`), is a list of one."""
    return [found] if isinstance(found, int) else found


def _check_layers(name: str, widths: Any) -> None:
    good = isinstance(widths, list) and widths and all(type(width) is int and width > 0 for width in widths)
    _check(bool(good), name, widths, "a positive width, or a list of them such as [8, 16]")


def _check_rate(name: str, rate: float) -> None:
    _check(0 <= rate < 1, name, rate, "a rate of at least 0 and less than 1")


@dataclass
class CnnConfig(ModelConfig):
    """Convolution blocks (convolution, batch norm, ReLU), pooled by 2 after each `pool_every` of them where the size
    still allows it; `readout` is the mean over positions, or every position side by side (flatten)."""

    family: str = "cnn"
    filters: Any = field(default_factory=lambda: [32, 64, 64])
    kernel: int = 3
    pool_every: int = 1
    readout: str = "average"
    batch_norm: bool = True
    dropout: float = 0.0

    def __post_init__(self) -> None:
        self.filters = _widths(self.filters)

    def check(self) -> None:
        super().check()
        _check_layers("model.filters", self.filters)
        _check(self.kernel > 0, "model.kernel", self.kernel, "1 or more")
        _check(self.pool_every > 0, "model.pool_every", self.pool_every, "1 or more")
        _check_rate("model.dropout", self.dropout)
        _one_of("model.readout", self.readout, ("average", "flatten"))


@dataclass
class RnnConfig(ModelConfig):
    family: str = "rnn"
    cell: str = "gru"
    units: Any = field(default_factory=lambda: [64])
    bidirectional: bool = False
    dropout: float = 0.0

    def __post_init__(self) -> None:
        self.units = _widths(self.units)

    def check(self) -> None:
        super().check()
        _one_of("model.cell", self.cell, ("simple", "lstm", "gru"))
        _check_layers("model.units", self.units)
        _check_rate("model.dropout", self.dropout)


@dataclass
class OptimizerConfig:
    name: str = "adam"
    learning_rate: float = 0.001
    momentum: float = 0.0
    schedule: str = "constant"
    clip_norm: float | None = None

    def check(self) -> None:
        _one_of("trainer.optimizer.name", self.name, ("adam", "sgd"))
        _one_of("trainer.optimizer.schedule", self.schedule, ("constant", "cosine"))
        rate = self.learning_rate
        good = math.isfinite(rate) and rate > 0
        _check(good, "trainer.optimizer.learning_rate", rate, "a finite number greater than 0")
        _check_rate("trainer.optimizer.momentum", self.momentum)
        if self.momentum and self.name != "sgd":
            raise ConfigError(
                f"trainer.optimizer: momentum is sgd's, found with {self.name}. Remove it or set name: sgd."
            )
        if self.clip_norm is not None:
            _check(self.clip_norm > 0, "trainer.optimizer.clip_norm", self.clip_norm, "more than 0, or null")


@dataclass
class EarlyStoppingConfig:
    """Stop after `patience` epochs without a better validation loss; the best epoch's weights are kept."""

    patience: int = 0
    min_delta: float = 0.0

    def check(self) -> None:
        _check(self.patience >= 0, "trainer.early_stopping.patience", self.patience, "0 (off) or more")
        _check(self.min_delta >= 0, "trainer.early_stopping.min_delta", self.min_delta, "0 or more")


LOOKS, LEAST_BETWEEN_LOOKS = 20, 10


@dataclass
class TensorBoardConfig:
    """Epochs between weight histograms, and between validation confusion matrices; 0 turns them off, null makes about
    LOOKS of them in a training, which on a small model take longer than an epoch."""

    histograms_every: int | None = None
    confusion_every: int | None = None

    def check(self) -> None:
        for name in ("histograms_every", "confusion_every"):
            every = getattr(self, name)
            _check(every is None or every >= 0, f"trainer.tensorboard.{name}", every, "0 or more, or null")

    def spaced(self, epochs: int) -> tuple[int, int]:
        """Epochs between histograms, and between confusion matrices, in a training of so many; 0 for none."""
        usual = max(LEAST_BETWEEN_LOOKS, -(-epochs // LOOKS))
        histograms, confusion = (
            usual if every is None else every for every in (self.histograms_every, self.confusion_every)
        )
        return histograms, confusion


@dataclass
class AugmentationConfig:
    """Random changes of training images, drawn anew for each (seed, epoch, step): shifts by up to `translate` of
    height and width, rotations by up to `rotate` of a turn, zoom by up to `zoom`, mirror images with `flip`."""

    translate: float = 0.0
    rotate: float = 0.0
    zoom: float = 0.0
    flip: bool = False

    @property
    def active(self) -> bool:
        return bool(self.translate or self.rotate or self.zoom or self.flip)

    def check(self) -> None:
        for name in ("translate", "rotate", "zoom"):
            _check_rate(f"trainer.augmentation.{name}", getattr(self, name))


@dataclass
class LimitConfig:
    """Train and validate on at most so many rows of each split (null: all), and on that fraction of them. Which rows
    depends on their content alone. For a first look; the test rows are always all there."""

    rows: int | None = None
    fraction: float = 1.0

    def check(self) -> None:
        _check(self.rows is None or self.rows > 0, "trainer.limit.rows", self.rows, "1 or more, or null")
        _check(0 < self.fraction <= 1, "trainer.limit.fraction", self.fraction, "more than 0, at most 1")


@dataclass
class TrainerConfig:
    """How a model is trained. Everything here may change the bits, so it is configuration and never read off the
    machine.

    `precision`: of the layers between features and head. `xla`: whether XLA compiles whole epochs; auto is as measured
    (docs/performance.md). `strategy`: how batches are shared out among devices.
    `instruction_set`: what oneDNN and XLA may pick at most; native is no cap. `resident_bytes`: features that take
    more stream from disk. `callbacks`: names of training/callbacks.py with their arguments. `profile`: record what
    TensorFlow does, for TensorBoard.
    """

    name: str = MISSING
    epochs: int = MISSING
    batch_size: int = 32
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    early_stopping: EarlyStoppingConfig = field(default_factory=EarlyStoppingConfig)
    class_weight: str = "none"
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    callbacks: dict[str, dict[str, Any]] = field(default_factory=dict)
    device: str = "auto"
    precision: str = "float32"
    xla: str = "auto"
    strategy: str = "none"
    threads: int = 2
    instruction_set: str = "avx2"
    resident_bytes: int = 2**30
    limit: LimitConfig = field(default_factory=LimitConfig)
    profile: bool = False
    tensorboard: TensorBoardConfig = field(default_factory=TensorBoardConfig)

    def check(self) -> None:
        _one_of("trainer.name", self.name, ("compiled", "keras", "exact"))
        _one_of("trainer.class_weight", self.class_weight, ("none", "balanced"))
        _one_of("trainer.device", self.device, ("auto", "cpu", "gpu"))
        _one_of("trainer.precision", self.precision, ("float32", "mixed_bfloat16"))
        _one_of("trainer.strategy", self.strategy, ("none", "mirrored", "multi_worker"))
        _one_of("trainer.xla", self.xla, ("auto", "on", "off"))
        _one_of("trainer.instruction_set", self.instruction_set, ("native", "sse41", "avx", "avx2", "avx512_core"))
        for name in ("epochs", "batch_size", "threads", "resident_bytes"):
            _check(getattr(self, name) > 0, f"trainer.{name}", getattr(self, name), "1 or more")


@dataclass
class CheckpointConfig:
    """When a training saves what it needs to go on after a kill: every so many seconds, and every so many epochs
    (0: not by epochs). It changes no result, so no stage depends on it."""

    every_seconds: float = 30.0
    every_epochs: int = 0

    def check(self) -> None:
        _check(self.every_seconds > 0, "checkpoint.every_seconds", self.every_seconds, "more than 0")
        _check(self.every_epochs >= 0, "checkpoint.every_epochs", self.every_epochs, "0 (off) or more")


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
        _check(self.resamples >= 100, "evaluation.resamples", self.resamples, "100 or more")
        _check(0.5 < self.confidence < 1, "evaluation.confidence", self.confidence, "between 0.5 and 1")


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
        _check(self.seed >= 0, "params.yaml: seed", self.seed, "0 or more")
        metric = "val_mae" if self.dataset.task == REGRESSION else "val_accuracy"
        _one_of("objective", self.objective, ("val_loss", metric))
        if self.trainer.name == "exact":
            self._check_exact()

    def _check_exact(self) -> None:
        if self.model.family not in ("linear", "logistic"):
            raise ConfigError(
                f"trainer exact solves linear and logistic models, found {self.model.family}. Use trainer=compiled."
            )
        for name, used in (("callbacks", self.trainer.callbacks), ("augmentation", self.trainer.augmentation.active)):
            if used:
                raise ConfigError(f"trainer exact has no use for trainer.{name}. Remove it, or use trainer=compiled.")


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


@dataclass
class PromotionConfig:
    """When a challenger becomes champion: `minima` (and `maxima`) that a test metric must meet, and the
    one-sided confidence of the paired comparison, from `resamples` bootstrap resamples of the test rows."""

    confidence: float = 0.95
    resamples: int = 10000
    minima: dict[str, dict[str, float]] = field(default_factory=dict)

    def check(self) -> None:
        _check(0.5 <= self.confidence < 1, "promotion.confidence", self.confidence, "0.5 or more, under 1")
        _check(self.resamples >= 100, "promotion.resamples", self.resamples, "100 or more")


@dataclass
class Params:
    """params.yaml: the few values that define one reproduction."""

    seed: int = MISSING
    split: SplitConfig = field(default_factory=SplitConfig)
    datasets: list[str] = MISSING
    experiments: dict[str, str] = MISSING
    promotion: PromotionConfig = field(default_factory=PromotionConfig)

    def check(self) -> None:
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


DATASETS = {"sklearn": SklearnDataset, "inline": InlineDataset}
MODELS = {"linear": LinearConfig, "logistic": LogisticConfig, "cnn": CnnConfig, "rnn": RnnConfig}


def check_all(config: Any) -> None:
    """Run every `check` of a schema object, innermost first."""
    for entry in fields(config):
        value = getattr(config, entry.name)
        if is_dataclass(value):
            check_all(value)
    if hasattr(config, "check"):
        config.check()
