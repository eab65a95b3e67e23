"""What the preprocessing of a modality is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.config import PreprocessingConfig
from pipeline.data.schema import Schema

if TYPE_CHECKING:
    import keras

    from pipeline.data.prepared import AnySplit


@dataclass(frozen=True)
class Preprocessing:
    """`build(config, schema, inputs, train)` maps the raw Keras inputs, by name, to one feature tensor of kind `gives`
    (model/kinds.py); what it learns from data, it learns from the training split alone."""

    build: "Callable[[PreprocessingConfig, Schema, dict[str, keras.KerasTensor], AnySplit], keras.KerasTensor]"
    gives: str
