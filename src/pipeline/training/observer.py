"""Everything that watches a training, called once after each epoch."""

from dataclasses import dataclass

from pipeline.data.history import EpochValues
from pipeline.tracking.journal import Journal
from pipeline.training.board import Board
from pipeline.training.finite import check_finite
from pipeline.training.progress import Progress


@dataclass(frozen=True)
class Observer:
    """Keeps the history and passes each epoch on to journal, progress bar and TensorBoard.

    At first, `history` holds the epochs that were done before the training was resumed. `board` is None where nothing
    is to be written for TensorBoard: where an earlier run of this identity has finished, because what it wrote stays as
    it is, and in all workers but the one that writes.
    """

    history: list[EpochValues]
    journal: Journal
    progress: Progress
    board: Board | None

    @property
    def looks_every(self) -> tuple[int, ...]:
        """After how many epochs the board looks at the weights (0: never)."""
        return self.board.looks_every if self.board is not None else ()

    def epoch(self, epoch: int, values: EpochValues, bad_step: int | None = None) -> None:
        """Take in one epoch's values (epochs from 1); raises ArtifactError when the loss is not finite."""
        check_finite(epoch, values, bad_step)
        self.history.append(values)
        self.journal.metrics(epoch, values)
        self.progress.epoch(epoch, values)
        if self.board is not None:
            self.board.epoch(epoch, values)

    def flush(self) -> None:
        """Write everything that was observed to disk. This comes before a checkpoint, which says that these epochs are
        done."""
        self.journal.flush()
        if self.board is not None:
            self.board.flush()

    def close(self) -> None:
        """Close what watched the training. The journal stays open, because it is told later how the training ended."""
        self.progress.close()
        self.journal.flush()
        if self.board is not None:
            self.board.close(self.history)
