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

    @property
    def instructions(self) -> str:
        """The instruction set that was chosen, or the one that `auto` stands for.

        That is `native` for bfloat16: TensorFlow chooses its bfloat16 kernels by what the processor has (AVX512_BF16,
        AMX), and ends with an error or aborts where oneDNN is not allowed to use it.
        """
        if self.instruction_set != "auto":
            return self.instruction_set
        return "avx2" if self.precision == "float32" else "native"
