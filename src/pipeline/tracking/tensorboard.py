"""TensorBoard's view of a run: scalars, graph, weight histograms, HParams, confusion matrix."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

CELL = 34  # pixels of a confusion matrix's cell
VALIDATION_PREFIX = "val_"


class TensorBoardWriter:
    """Writes under `folder`/train and `folder`/validation, so that both lines stand on one chart.

    `folder` starts empty: a rerun of the same identity replaces what an earlier, unfinished one left.
    """

    def __init__(self, folder: Path) -> None:
        import tensorflow as tf

        shutil.rmtree(folder, ignore_errors=True)
        self._train = tf.summary.create_file_writer(str(folder / "train"))
        self._validation = tf.summary.create_file_writer(str(folder / "validation"))

    def scalars(self, epoch: int, values: dict[str, float]) -> None:
        """`val_loss` becomes the scalar `loss` of validation, beside train's."""
        import tensorflow as tf

        for name, value in values.items():
            of_validation = name.startswith(VALIDATION_PREFIX)
            with (self._validation if of_validation else self._train).as_default():
                tf.summary.scalar(name.removeprefix(VALIDATION_PREFIX), value, step=epoch)

    def graph(self, core: Any) -> None:
        """The core's graph for one row."""
        import tensorflow as tf

        spec = tf.TensorSpec((1, *core.input_shape[1:]), tf.float32)
        traced = tf.function(lambda x: core(x, training=False)).get_concrete_function(spec)
        with self._train.as_default():
            tf.summary.graph(traced.graph)

    def histograms(self, epoch: int, core: Any) -> None:
        import tensorflow as tf

        with self._train.as_default():
            for weight in core.trainable_weights:
                tf.summary.histogram(weight.path, weight.value, step=epoch)

    def confusion(self, epoch: int, counts_KK: NDArray[np.int64], classes: list[str]) -> None:
        """A validation confusion matrix (rows: actual, columns: predicted) as an image."""
        import tensorflow as tf

        with self._validation.as_default():
            tf.summary.image("confusion", draw_confusion(counts_KK, classes)[np.newaxis], step=epoch)

    def hparams(self, params: dict[str, Any]) -> None:
        from tensorboard.plugins.hparams import api

        known = {
            key: value if isinstance(value, bool | int | float | str) else str(value) for key, value in params.items()
        }
        with self._train.as_default():
            api.hparams(known)

    def close(self) -> None:
        self._train.close()
        self._validation.close()


def confusion_counts(actual: NDArray[Any], predicted: NDArray[Any], num_classes: int) -> NDArray[np.int64]:
    """(K, K) counts: row actual, column predicted."""
    flat = actual.astype(np.int64) * num_classes + predicted.astype(np.int64)
    return np.bincount(flat, minlength=num_classes**2).reshape(num_classes, num_classes)


def draw_confusion(counts_KK: NDArray[np.int64], classes: list[str]) -> NDArray[np.uint8]:
    """The matrix as an RGB image (S, S, 3), each cell with its count, darker for a larger share of its row."""
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
    return np.asarray(image, np.uint8)
