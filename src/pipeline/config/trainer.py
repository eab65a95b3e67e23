"""How it is trained, and when a training is saved."""

import math
from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

from pipeline.config.checks import check, check_rate, one_of
from pipeline.config.tensorflow import TensorFlowConfig
from pipeline.errors import ConfigError


@dataclass
class OptimizerConfig:
    name: str = "adam"
    learning_rate: float = 0.001
    momentum: float = 0.0
    schedule: str = "constant"
    clip_norm: float | None = None

    def check(self) -> None:
        rate = self.learning_rate
        good = math.isfinite(rate) and rate > 0
        check(good, "trainer.optimizer.learning_rate", rate, "a finite number greater than 0")
        check_rate("trainer.optimizer.momentum", self.momentum)
        if self.momentum and self.name != "sgd":
            raise ConfigError(
                f"trainer.optimizer: momentum is sgd's, found with {self.name}. Remove it or set name: sgd."
            )
        if self.clip_norm is not None:
            check(self.clip_norm > 0, "trainer.optimizer.clip_norm", self.clip_norm, "more than 0, or null")


@dataclass
class EarlyStoppingConfig:
    """Stop after `patience` epochs without a better validation loss; the best epoch's weights are kept."""

    patience: int = 0
    min_delta: float = 0.0

    def check(self) -> None:
        check(self.patience >= 0, "trainer.early_stopping.patience", self.patience, "0 (off) or more")
        check(self.min_delta >= 0, "trainer.early_stopping.min_delta", self.min_delta, "0 or more")


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
            check(every is None or every >= 0, f"trainer.tensorboard.{name}", every, "0 or more, or null")

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
            check_rate(f"trainer.augmentation.{name}", getattr(self, name))


@dataclass
class LimitConfig:
    """Train and validate on at most so many rows of each split (null: all), and on that fraction of them. Which rows
    depends on their content alone. For a first look; the test rows are always all there."""

    rows: int | None = None
    fraction: float = 1.0

    def check(self) -> None:
        check(self.rows is None or self.rows > 0, "trainer.limit.rows", self.rows, "1 or more, or null")
        check(0 < self.fraction <= 1, "trainer.limit.fraction", self.fraction, "more than 0, at most 1")


@dataclass
class TrainerConfig:
    """How a model is trained. Everything here may change the bits, so it is configuration and never read off the
    machine. What a trainer adds or refuses stands in its file, training/.

    `name` is the trainer's in TRAINERS. `precision`: of the layers between features and head. `xla`: whether XLA
    compiles whole epochs; auto is for trainings that are estimated to gain by it (training/compilation.py). `strategy`:
    how batches are shared out among
    devices. `instruction_set`: what oneDNN and XLA may pick at most; native is no cap, auto is avx2, or native for a
    reduced precision. `resident_bytes`: features that take more stream from disk. `callbacks`: names of
    training/callbacks.py with their arguments. `profile`: record what TensorFlow does, for TensorBoard.
    """

    name: str = MISSING
    epochs: int = MISSING
    batch_size: int = 32
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    early_stopping: EarlyStoppingConfig = field(default_factory=EarlyStoppingConfig)
    class_weight: str = "none"
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    callbacks: dict[str, dict[str, Any]] = field(default_factory=dict)
    device: str = TensorFlowConfig.device
    precision: str = TensorFlowConfig.precision
    xla: str = "auto"
    strategy: str = "none"
    threads: int = TensorFlowConfig.threads
    instruction_set: str = TensorFlowConfig.instruction_set
    resident_bytes: int = 2**30
    limit: LimitConfig = field(default_factory=LimitConfig)
    profile: bool = False
    tensorboard: TensorBoardConfig = field(default_factory=TensorBoardConfig)

    def check(self) -> None:
        one_of("trainer.class_weight", self.class_weight, ("none", "balanced"))
        one_of("trainer.device", self.device, ("auto", "cpu", "gpu"))
        one_of("trainer.precision", self.precision, ("float32", "mixed_bfloat16"))
        one_of("trainer.xla", self.xla, ("auto", "on", "off"))
        for name in ("epochs", "batch_size", "threads", "resident_bytes"):
            check(getattr(self, name) > 0, f"trainer.{name}", getattr(self, name), "1 or more")
        if self.precision != "float32" and self.instruction_set not in ("auto", "native"):
            raise ConfigError(
                f"trainer.precision={self.precision} takes the processor's own instructions, found "
                f"trainer.instruction_set={self.instruction_set}. Leave that at auto, or set native."
            )

    @property
    def tensorflow(self) -> TensorFlowConfig:
        """What the process of this training sets for TensorFlow."""
        return TensorFlowConfig(self.threads, self.instruction_set, self.device, self.precision)


@dataclass
class CheckpointConfig:
    """When a training saves what it needs to go on after a kill: every so many seconds, and every so many epochs
    (0: not by epochs). It changes no result, so no stage depends on it."""

    every_seconds: float = 30.0
    every_epochs: int = 0

    def check(self) -> None:
        check(self.every_seconds > 0, "checkpoint.every_seconds", self.every_seconds, "more than 0")
        check(self.every_epochs >= 0, "checkpoint.every_epochs", self.every_epochs, "0 (off) or more")
