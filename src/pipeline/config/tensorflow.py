"""The settings that a process makes for TensorFlow before it computes, whether it trains, predicts or only looks for a
GPU."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TensorFlowConfig:
    """Each of these settings may change the bits, so none of them is taken from the machine. Error messages name them
    as keys of `trainer`, where a user sets them. TrainerConfig says what they mean."""

    threads: int = 2
    instruction_set: str = "auto"
    device: str = "auto"
    precision: str = "float32"
