"""What a store has of a run or a sweep, and whether that is to be brought to it."""

from pathlib import Path

from mlflow.entities import LifecycleStage, Run

from pipeline.files import digest_value, write_text
from pipeline.tracking.journal import FINISHED, Record
from pipeline.tracking.store import Store

SYNCED_TAG = "pipeline.synced"
DELIVERED = "delivered"  # a file that names the stores that have had a run or sweep, one on each line


def journal_version(records: list[Record]) -> str:
    """The value that the store notes when it has a journal completely. A journal that is longer, or was written anew,
    has another version."""
    return f"{len(records)} {digest_value(records)[:12]}"


def has_finished_elsewhere(run: Run, ended: str) -> bool:
    """Whether the store has a run as finished whose journal here `ended` in another way, or has not. Another checkout
    has then trained it to its end, and the journal here has nothing to add."""
    return run.info.status == FINISHED and ended != FINISHED


def is_wanted(store: Store, known: dict[str, Run] | None, identity: str, whole: str, folder: Path) -> bool:
    """Whether to deliver the run of this identity, in `folder`, to a store whose runs of the experiment are `known`.
    `whole` is the version of its complete journal."""
    if known is None or (identity not in known and was_delivered(store, folder)):
        return False  # a user has deleted it, and `mlflow gc` may have removed it for good
    run = known.get(identity)
    return run is None or (run.info.lifecycle_stage == LifecycleStage.ACTIVE and run.data.tags.get(SYNCED_TAG) != whole)


def note_delivery(store: Store, folder: Path) -> None:
    """Note in the folder of a run or sweep that this very store has had it."""
    path = folder / DELIVERED
    if not was_delivered(store, folder):
        write_text(path, (path.read_text(encoding="utf-8") if path.is_file() else "") + f"{store.birth}\n")


def was_delivered(store: Store, folder: Path) -> bool:
    path = folder / DELIVERED
    return path.is_file() and store.birth in path.read_text(encoding="utf-8").split()
