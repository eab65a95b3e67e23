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

    @property
    def instructions(self) -> str:
        """The instruction set that `auto` stands for, or the one that was chosen.

        TensorFlow picks kernels for bfloat16 by what the processor has (AVX512_BF16, AMX) and ends with an error, or
        aborts, where oneDNN may not use it.
        """
        if self.instruction_set != "auto":
            return self.instruction_set
        return "avx2" if self.precision == "float32" else "native"
