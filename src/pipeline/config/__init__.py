"""The typed schema of conf/ and params.yaml. Defaults stand here, choices in conf/, and the few values that define a
reproduction in params.yaml.

A key that is not a field, a value of the wrong type, or one that is out of range is refused before any work is done.
The method `check` of a schema class holds the rules that types cannot express. It is not part of the constructor,
because OmegaConf makes instances whose fields are still missing.
"""

from dataclasses import fields, is_dataclass
from typing import Any

from pipeline.config.audio import AudioFeaturesConfig
from pipeline.config.augmentation import AugmentationConfig
from pipeline.config.contract import ContractConfig
from pipeline.config.data import ColumnConfig, DatasetConfig, DownloadConfig, SplitConfig
from pipeline.config.experiment import (
    Config,
    DriftConfig,
    EvaluationConfig,
    InspectConfig,
    PredictConfig,
    PrepareConfig,
    PreprocessingConfig,
    SequenceFeaturesConfig,
    TextFeaturesConfig,
)
from pipeline.config.model import ModelConfig
from pipeline.config.params import Params, PromotionConfig
from pipeline.config.sweep import SweepConfig
from pipeline.config.tensorflow import TensorFlowConfig
from pipeline.config.text import TextConfig
from pipeline.config.trainer import (
    CacheConfig,
    CheckpointConfig,
    EarlyStoppingConfig,
    LimitConfig,
    OptimizerConfig,
    TensorBoardConfig,
    TrainerConfig,
)

__all__ = [
    "AudioFeaturesConfig",
    "AugmentationConfig",
    "CacheConfig",
    "CheckpointConfig",
    "ColumnConfig",
    "Config",
    "ContractConfig",
    "DatasetConfig",
    "DownloadConfig",
    "DriftConfig",
    "EarlyStoppingConfig",
    "EvaluationConfig",
    "InspectConfig",
    "LimitConfig",
    "ModelConfig",
    "OptimizerConfig",
    "Params",
    "PredictConfig",
    "PrepareConfig",
    "PreprocessingConfig",
    "PromotionConfig",
    "SequenceFeaturesConfig",
    "SplitConfig",
    "SweepConfig",
    "TensorBoardConfig",
    "TensorFlowConfig",
    "TextConfig",
    "TextFeaturesConfig",
    "TrainerConfig",
    "check_all",
]


def check_all(config: Any) -> None:
    """Run every `check` of a schema object, the innermost objects first."""
    for entry in fields(config):
        value = getattr(config, entry.name)
        if is_dataclass(value):
            check_all(value)
    if hasattr(config, "check"):
        config.check()
