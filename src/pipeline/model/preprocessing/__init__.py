"""Raw input to features, as layers that travel inside the served model. One file for each modality.

`build(config, schema, inputs, train)` maps the raw Keras inputs to one feature tensor; what it learns from
data, it learns from the training split alone.
"""

from collections.abc import Callable
from typing import Any

from pipeline.model.preprocessing import image, table

PREPROCESSING: dict[str, Callable[..., Any]] = {"table": table.build, "image": image.build}
