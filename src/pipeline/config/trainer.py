"""The configuration of a training, and of its checkpoints."""

import math
from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

from pipeline.config.augmentation import AugmentationConfig
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
    """Stop after `patience` epochs without a better validation loss, and keep the weights of the best epoch. A loss
    counts as better if it is lower by more than `min_delta`. A patience of 0 turns early stopping off."""

    patience: int = 0
    min_delta: float = 0.0

    def check(self) -> None:
        check(self.patience >= 0, "trainer.early_stopping.patience", self.patience, "0 (off) or more")
        check(self.min_delta >= 0, "trainer.early_stopping.min_delta", self.min_delta, "0 or more")


LOOKS, LEAST_BETWEEN_LOOKS = 20, 10


@dataclass
class TensorBoardConfig:
    """The number of epochs between weight histograms, and between validation confusion matrices. 0 turns them off. null
    makes about LOOKS of them in a training; on a small model, one takes longer than an epoch."""

    histograms_every: int | None = None
    confusion_every: int | None = None

    def check(self) -> None:
        for name in ("histograms_every", "confusion_every"):
            every = getattr(self, name)
            check(every is None or every >= 0, f"trainer.tensorboard.{name}", every, "0 or more, or null")

    def spaced(self, epochs: int) -> tuple[int, int]:
        """The number of epochs between histograms, and between confusion matrices, in a training of `epochs` epochs. 0
        stands for none."""
        usual = max(LEAST_BETWEEN_LOOKS, -(-epochs // LOOKS))
        histograms, confusion = (
            usual if every is None else every for every in (self.histograms_every, self.confusion_every)
        )
        return histograms, confusion


@dataclass
class LimitConfig:
    """For a first look: train and validate on at most `rows` rows of each split (null: all), and on at most `fraction`
    of it. Which rows are kept depends only on their content, and on `seed` if there is one. The test rows are always
    all used."""

    rows: int | None = None
    fraction: float = 1.0
    seed: int | None = None

    def check(self) -> None:
        check(self.rows is None or self.rows > 0, "trainer.limit.rows", self.rows, "1 or more, or null")
        check(0 < self.fraction <= 1, "trainer.limit.fraction", self.fraction, "more than 0, at most 1")


@dataclass
class TrainerConfig:
    """How a model is trained. Everything here may change the bits, so it is configuration and never taken from the
    machine. What a trainer adds or refuses stands in its file in training/.

    - `name` is the trainer's name in TRAINERS.
    - `class_weight: balanced` lets each class count the same, however many rows it has.
    - `callbacks` holds names of training/callbacks.py, each with its arguments.
    - `precision` is that of the layers between the features and the head.
    - `xla` says whether XLA compiles whole epochs; auto does so where a training is estimated to gain by it
      (training/compilation.py).
    - `strategy` says how batches are shared out among devices.
    - `threads` is the number of threads that TensorFlow computes with.
    - `instruction_set` limits the instructions that oneDNN and XLA may use. native is no limit; auto is avx2, or native
      for a reduced precision.
    - `resident_bytes` is the most that features may take in memory; larger ones are streamed from disk.
    - `profile` records what TensorFlow does, for TensorBoard.
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
        """The settings that the process of this training makes for TensorFlow."""
        return TensorFlowConfig(self.threads, self.instruction_set, self.device, self.precision)


@dataclass
class CacheConfig:
    """The most that the features of all trainings may take on disk, once they are made. This changes no result, so no
    stage depends on it."""

    features_bytes: int = 2**33

    def check(self) -> None:
        check(self.features_bytes >= 0, "cache.features_bytes", self.features_bytes, "0 or more")


@dataclass
class CheckpointConfig:
    """How often a training saves what it needs to go on after a kill: every `every_seconds` seconds, and every
    `every_epochs` epochs (0: not by epochs). This changes no result, so no stage depends on it."""

    every_seconds: float = 30.0
    every_epochs: int = 0

    def check(self) -> None:
        check(self.every_seconds > 0, "checkpoint.every_seconds", self.every_seconds, "more than 0")
        check(self.every_epochs >= 0, "checkpoint.every_epochs", self.every_epochs, "0 (off) or more")
