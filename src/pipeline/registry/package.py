"""A served model as an MLflow model folder, written without TensorFlow."""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, TensorSpec
from mlflow.types import Schema as MlflowSchema

from pipeline.data.prepared import SplitFile
from pipeline.data.schema import Schema
from pipeline.layout import MODEL, TEST, Layout, split_file
from pipeline.registry.evidence import FOLDER, write_evidence

REQUIREMENTS = ("tensorflow", "keras", "numpy", "mlflow")
EXAMPLE, EXAMPLE_ROWS = "input_example.json", 3


def signature_of(schema: Schema) -> ModelSignature:
    """The signature of a served model: the raw columns are its inputs, and the served values its output."""
    inputs: list[ColSpec | TensorSpec] = [
        TensorSpec(np.dtype(f.dtype), (-1, *f.shape), f.name) for f in schema.features
    ]
    output = TensorSpec(np.dtype("float32"), (-1, schema.num_outputs))
    return ModelSignature(MlflowSchema(inputs), MlflowSchema([output]))


def write_mlflow_model(layout: Layout, experiment: str, dataset: str, run_id: str, model_id: str, folder: Path) -> None:
    """Write MLmodel, the Keras file, requirements, an input example and the evidence into `folder`."""
    prepared = layout.prepared(dataset)
    schema = Schema.read(prepared)
    data = folder / "data"
    data.mkdir(parents=True)
    (data / MODEL).write_bytes((layout.trained(experiment) / MODEL).read_bytes())
    (data / "keras_module.txt").write_text("keras")
    (data / "save_format.txt").write_text("tf")
    requirements = [f"{name}=={version(name)}" for name in REQUIREMENTS]
    (folder / "requirements.txt").write_text("".join(f"{line}\n" for line in requirements))
    environment = {"dependencies": [f"python={_python()}", "pip", {"pip": requirements}], "name": "mlflow-env"}
    (folder / "conda.yaml").write_text(yaml.safe_dump(environment))
    python_env = {"python": _python(), "build_dependencies": ["pip"], "dependencies": ["-r requirements.txt"]}
    (folder / "python_env.yaml").write_text(yaml.safe_dump(python_env))
    model = Model(run_id=run_id, model_id=model_id, signature=signature_of(schema))
    model.add_flavor(
        "tensorflow", data="data", model_type="keras", keras_version=version("keras"), save_format="tf", code=None
    )
    model.add_flavor(
        "python_function",
        loader_module="mlflow.tensorflow",
        data="data",
        env={"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
        python_version=_python(),
    )
    model.saved_input_example_info = {"artifact_path": EXAMPLE, "type": "ndarray"}
    (folder / EXAMPLE).write_text(json.dumps(_example(prepared, schema)))
    model.save(str(folder / "MLmodel"))
    write_evidence(layout, experiment, folder / FOLDER)


def _example(prepared: Path, schema: Schema) -> dict[str, Any]:
    first = next(SplitFile(prepared / split_file(TEST), schema).chunks())
    return {name: values[:EXAMPLE_ROWS].tolist() for name, values in first.inputs.items()}


def _python() -> str:
    import platform

    return platform.python_version()
