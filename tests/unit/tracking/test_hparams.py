"""HParams has a column for each parameter in which runs differ, and the validation's scores, which it finds."""

from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata

from pipeline.layout import TENSORBOARD, Layout
from pipeline.tracking.hparams import write_columns
from pipeline.tracking.journal import Journal
from pipeline.tracking.tensorboard import TensorBoardWriter


def journaled(layout: Layout, identity: str, shown: bool, **params: object) -> None:
    Journal(layout.run(identity) / "journal.jsonl").start(identity, "x", {"seed": 1, **params}, {})
    if shown:
        board = TensorBoardWriter(layout.run(identity) / TENSORBOARD)
        board.hparams(params)
        board.close()


def test_what_is_the_same_in_all_runs_that_are_shown_has_no_column(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    journaled(layout, "a-1", True, **{"dataset.task": "binary", "model.l2": 0.0})
    journaled(layout, "b-2", True, **{"dataset.task": "binary", "model.l2": 0.1})
    journaled(layout, "made-of-outputs", False, **{"dataset.task": "regression", "model.units": [3]})
    journaled(layout, "c-3", False, **{"dataset.task": "binary", "model.l2": 0.1, "model.filters": [8]})
    for _ in range(2):  # anew, in the same place
        write_columns(layout, "c-3")
    (folder,) = [path for path in layout.runs.iterdir() if path.name == "hparams"]
    assert len(list(folder.iterdir())) == 1
    content = EventAccumulator(str(folder)).Reload().SummaryMetadata(metadata.EXPERIMENT_TAG).plugin_data.content
    found = metadata.parse_experiment_plugin_data(content)
    assert [info.name for info in found.hparam_infos] == ["model.l2", "model.filters"]
    named = [(info.name.group, info.name.tag, info.display_name) for info in found.metric_infos]
    assert named == [("kept", "accuracy", "val_accuracy"), ("kept", "loss", "val_loss")]
