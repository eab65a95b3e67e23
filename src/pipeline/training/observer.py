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

    `history` holds the epochs that a resumed training has behind it. `board` is None where nothing is to be written:
    when an earlier run of this identity has finished, what it wrote stands, and of several workers only one writes.
    """

    history: list[EpochValues]
    journal: Journal
    progress: Progress
    board: Board | None

    @property
    def looks_every(self) -> tuple[int, ...]:
        """After so many epochs it looks at the weights (0: never)."""
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
        """Everything that was observed is on disk: before a checkpoint, which says that these epochs are done."""
        self.journal.flush()
        if self.board is not None:
            self.board.flush()

    def close(self) -> None:
        """The training is over; the journal, which is told later how it ended, stays open."""
        self.progress.close()
        self.journal.flush()
        if self.board is not None:
            self.board.close()
