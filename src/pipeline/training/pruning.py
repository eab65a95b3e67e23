"""A search may give a training up after any epoch, when others do better. What is needed to finish it later is kept."""

from typing import Protocol

from pipeline.data.history import EpochValues, GivenUp


class Judge(Protocol):
    """Says after each epoch (the first is 1), from its values, whether a training is to be given up.

    A training that was killed asks again about the epochs that its checkpoint holds, so the answers must not depend on
    when they are given.
    """

    def __call__(self, epoch: int, values: EpochValues) -> bool: ...


def judge_history(judge: Judge | None, history: list[EpochValues], epochs: int) -> None:
    """Ask the judge about epochs that are done already, of `epochs` in all. Raises GivenUp at the first that it does
    not let pass. After the last epoch there is nothing left to save, so nobody is asked."""
    for epoch, values in enumerate(history if judge else [], 1):
        if judge and epoch < epochs and judge(epoch, values):
            raise GivenUp(epoch, history)
