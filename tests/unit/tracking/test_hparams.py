"""HParams has a column for each parameter in which runs differ, and the validation's scores, which it finds."""

from pathlib import Path

from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
from tensorboard.context import RequestContext
from tensorboard.plugins.base_plugin import TBContext
from tensorboard.plugins.hparams import api_pb2, metadata
from tensorboard.plugins.hparams.backend_context import Context
from tensorboard.plugins.hparams.list_session_groups import Handler

from pipeline.layout import TENSORBOARD, Layout
from pipeline.tracking.hparams import write_columns
from pipeline.tracking.journal import Journal
from pipeline.tracking.sweep_job import SweepJob
from pipeline.tracking.tensorboard import TensorBoardWriter, write_kept


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


def test_what_a_search_makes_best_has_a_column(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    journaled(layout, "a-1", True, **{"dataset.task": "binary", "objective": "val_loss"})
    for number in range(2):
        SweepJob(layout.sweep("s"), number, [], objectives=["val_mcc", "parameters"]).save()
    SweepJob(layout.sweep("grid"), 0, []).save()
    (layout.sweep("damaged") / "0").mkdir(parents=True)
    (layout.sweep("damaged") / "0" / "job.json").write_text("{")
    write_columns(layout, "a-1")
    content = EventAccumulator(str(layout.runs / "hparams")).Reload().SummaryMetadata(metadata.EXPERIMENT_TAG)
    found = metadata.parse_experiment_plugin_data(content.plugin_data.content)
    assert [info.display_name for info in found.metric_infos] == ["val_accuracy", "val_mcc", "val_loss"]


def test_the_scores_are_those_of_the_kept_epoch_and_the_objective_is_there(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    for identity, l2 in (("a-1", 0.0), ("b-2", 0.1)):
        journaled(layout, identity, True, **{"dataset.task": "binary", "model.l2": l2, "objective": "val_mcc"})
        board = TensorBoardWriter(layout.run(identity) / TENSORBOARD, done=1)
        for epoch, loss in ((2, 0.25), (3, 0.75)):
            board.scalars(epoch, {"loss": loss, "val_loss": loss, "val_accuracy": 1 - loss})
        board.kept(2, {"val_loss": 0.25, "val_accuracy": 0.75})
        board.close()
    write_kept(layout.run("a-1") / TENSORBOARD, 2, {"val_loss": 0.25, "val_accuracy": 0.75, "val_mcc": 0.5})
    write_columns(layout, "a-1")
    runs = EventMultiplexer().AddRunsFromDirectory(str(layout.runs))
    runs.Reload()
    provider = MultiplexerDataProvider(runs, str(layout.runs))
    request = api_pb2.ListSessionGroupsRequest(start_index=0, slice_size=9, allowed_statuses=[0, 1, 2, 3])
    groups = Handler(RequestContext(), Context(TBContext(data_provider=provider)), "", request).run().session_groups
    found = {
        group.sessions[0].name: {value.name.tag: (value.training_step, value.value) for value in group.metric_values}
        for group in groups
    }
    assert found["a-1/tensorboard"] == {"loss": (2, 0.25), "accuracy": (2, 0.75), "mcc": (2, 0.5)}
    assert found["b-2/tensorboard"] == {"loss": (2, 0.25), "accuracy": (2, 0.75)}
