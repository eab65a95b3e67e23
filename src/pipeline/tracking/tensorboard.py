"""TensorBoard's view of a run: scalars, graph, weight histograms, HParams, confusion matrix."""

import io
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.files import PARTIAL, replacing

if TYPE_CHECKING:
    import keras
    import PIL.Image
    import tensorflow as tf
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

CELL = 34  # the width and height of a confusion matrix's cell, in pixels
VALIDATION_PREFIX = "val_"
TRAIN, VALIDATION = "train", "validation"
KEPT = "kept"  # beside these two: the values of the epoch whose weights are kept, for HParams
HPARAMS = "events.out.tfevents.0.hparams"
EVENT_FILES = "events.out.tfevents.*"
KEPT_EVENTS = "events.out.tfevents.0.kept"  # this name sorts before those of later files, so TensorBoard reads it first


class TensorBoardWriter:
    """Writes to `folder`/train and `folder`/validation, so that TensorBoard draws both lines on one chart.

    What an earlier, unfinished run of the same identity wrote of the epochs up to `done` is kept, and everything else
    is removed, so that no point appears twice. Events go through TensorBoard's own writer and its thread, because
    `tf.summary.scalar` takes longer than an epoch of a small model.
    """

    def __init__(self, folder: Path, done: int = 0) -> None:
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        places = [folder / name for name in (TRAIN, VALIDATION)]
        if done:
            for place in places:
                keep_events(place, done)
        else:
            shutil.rmtree(folder, ignore_errors=True)
        self._folder = folder
        self._train, self._validation = (EventFileWriter(str(place)) for place in places)

    def scalars(self, epoch: int, values: dict[str, float]) -> None:
        """Write an epoch's values. `val_loss` becomes the scalar `loss` of validation, beside that of train."""
        held_out = {k.removeprefix(VALIDATION_PREFIX): v for k, v in values.items() if k.startswith(VALIDATION_PREFIX)}
        own = {k: v for k, v in values.items() if not k.startswith(VALIDATION_PREFIX)}
        for writer, named in ((self._train, own), (self._validation, held_out)):
            self._add(writer, epoch, [{"tag": tag, "simple_value": value} for tag, value in named.items()])

    def graph(self, graph: "tf.Graph") -> None:
        """Write the graph of what the core computes."""
        from tensorboard.compat.proto.event_pb2 import Event

        content = graph.as_graph_def().SerializeToString()
        self._train.add_event(Event(wall_time=time.time(), graph_def=content))

    def histograms(self, epoch: int, core: "keras.Model") -> None:
        """Write the distribution of every trainable weight."""
        from tensorboard.plugins.histogram.summary_v2 import histogram_pb

        for weight in core.trainable_weights:
            self._add_summary(self._train, epoch, histogram_pb(weight.path, np.asarray(weight.value)))

    def confusion(self, epoch: int, counts_KK: NDArray[np.int64], classes: list[str]) -> None:
        """Write a validation confusion matrix (rows: actual, columns: predicted) as an image."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        drawn = draw_confusion(counts_KK, classes)
        buffer = io.BytesIO()
        drawn.save(buffer, "PNG")
        image = Summary.Image(height=drawn.height, width=drawn.width, encoded_image_string=buffer.getvalue())
        self._add(self._validation, epoch, [{"tag": "confusion", "image": image}])

    def hparams(self, params: Mapping[str, object]) -> None:
        """Write the parameters above both folders, so that the HParams page finds the values of either."""
        from tensorboard.plugins.hparams import api

        plain = {k: v if isinstance(v, bool | int | float | str) else str(v) for k, v in params.items()}
        write_summary(self._folder / HPARAMS, api.hparams_pb(plain))

    def kept(self, epoch: int, values: dict[str, float]) -> None:
        """Write the values of the epoch whose weights are kept."""
        write_kept(self._folder, epoch, values)

    def flush(self) -> None:
        """Wait until everything is on disk."""
        self._train.flush()
        self._validation.flush()

    def close(self) -> None:
        self._train.close()
        self._validation.close()

    def _add(self, writer: "EventFileWriter", epoch: int, values: list[dict[str, Any]]) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        writer.add_event(Event(wall_time=time.time(), step=epoch, summary={"value": values}))

    def _add_summary(self, writer: "EventFileWriter", epoch: int, summary: "Summary") -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        # TensorFlow's protocol buffers have a class of their own for the same message, so it goes by its bytes.
        event = Event(wall_time=time.time(), step=epoch)
        event.summary.ParseFromString(summary.SerializeToString())
        writer.add_event(event)


def write_kept(folder: Path, epoch: int, values: Mapping[str, float]) -> None:
    """Write into a run's `folder` the validation values of the epoch (from 1) whose weights are kept, one point of each
    on the validation's line. HParams would otherwise show the last epoch's values."""
    from tensorboard.compat.proto.summary_pb2 import Summary

    held_out = {k.removeprefix(VALIDATION_PREFIX): v for k, v in values.items() if k.startswith(VALIDATION_PREFIX)}
    points = [Summary.Value(tag=tag, simple_value=value) for tag, value in held_out.items()]
    write_summary(folder / KEPT / EVENT_FILES.replace("*", "0"), Summary(value=points), epoch)


def write_summary(path: Path, summary: "Summary", step: int = 0) -> None:
    """Write a file of events that holds this one summary, whole or not at all. It replaces the file that was there."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.summary.writer.record_writer import RecordWriter

    event = Event(wall_time=time.time(), step=step)
    event.summary.ParseFromString(summary.SerializeToString())
    with replacing(path) as temporary, temporary.open("wb") as stream:
        writer = RecordWriter(stream)
        writer.write(Event(file_version="brain.Event:2", wall_time=event.wall_time).SerializeToString())
        writer.write(event.SerializeToString())
        writer.flush()


def keep_events(folder: Path, last_step: int) -> None:
    """Leave one file in `folder`, which holds the events up to `last_step`. A kill at any moment loses none of them."""
    from tensorboard.summary.writer.record_writer import RecordWriter

    kept = folder / KEPT_EVENTS
    events = read_events(folder, last_step)
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(kept) as temporary, temporary.open("wb") as stream:
        writer = RecordWriter(stream)
        for event in events:
            writer.write(event.SerializeToString())
        writer.flush()
    for path in (*folder.glob(EVENT_FILES), *folder.glob(f".*{PARTIAL}")):
        if path != kept:
            path.unlink()


def read_events(folder: Path, last_step: int) -> "list[Event]":
    """The events of a folder's files up to `last_step`. A last event that was cut off is left out. So are repeated
    events, which stand there if `keep_events` was killed before it had removed the files that it had copied."""
    from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
    from tensorboard.compat.proto.event_pb2 import Event

    events, seen = [], set()
    for path in sorted(folder.glob(EVENT_FILES)):
        for content in RawEventFileLoader(str(path)).Load():
            event = Event.FromString(content)
            if not event.HasField("file_version") and event.step <= last_step and content not in seen:
                events.append(event)
                seen.add(content)
    return events


def confusion_counts(actual: NDArray[Any], predicted: NDArray[Any], num_classes: int) -> NDArray[np.int64]:
    """(K, K) counts: row actual, column predicted."""
    flat = actual.astype(np.int64) * num_classes + predicted.astype(np.int64)
    return np.bincount(flat, minlength=num_classes**2).reshape(num_classes, num_classes)


def draw_confusion(counts_KK: NDArray[np.int64], classes: list[str]) -> "PIL.Image.Image":
    """The matrix as an RGB image. Each cell holds its count, and is darker for a larger share of its row."""
    from PIL import Image, ImageDraw

    size = (len(classes) + 1) * CELL
    image = Image.new("RGB", (size, size), "white")
    draw = ImageDraw.Draw(image)
    shares = counts_KK / np.maximum(counts_KK.sum(axis=1, keepdims=True), 1)
    for i, name in enumerate(classes):
        draw.text((3, (i + 1) * CELL + 11), name[:5], fill="black")
        draw.text(((i + 1) * CELL + 5, 11), name[:5], fill="black")
        for j in range(len(classes)):
            left, top = (j + 1) * CELL, (i + 1) * CELL
            shade = int(255 * (1 - shares[i, j]))
            draw.rectangle((left, top, left + CELL - 2, top + CELL - 2), fill=(shade, shade, 255))
            if counts_KK[i, j]:
                ink = "white" if shares[i, j] > 0.5 else "black"
                draw.text((left + 8, top + 11), str(counts_KK[i, j]), fill=ink)
    return image
