"""What a process sets for TensorFlow before it computes, whether it trains, predicts or only looks for a GPU."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TensorFlowConfig:
    """Each of these may change the bits, so none is read off the machine. The messages about them name the keys of
    `trainer`, where a user sets them (TrainerConfig says what they mean)."""

    threads: int = 2
    instruction_set: str = "auto"
    device: str = "auto"
    precision: str = "float32"
