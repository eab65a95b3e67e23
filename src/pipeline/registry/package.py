"""A served model as an MLflow model folder, written without TensorFlow."""

import base64
import datetime
import json
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml
from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, DataType, TensorSpec
from mlflow.types import Schema as MlflowSchema
from mlflow.types.schema import AnyType

from pipeline.config import ColumnConfig
from pipeline.data.prepared import SplitFile
from pipeline.data.schema import Schema
from pipeline.data.types.date import ISO
from pipeline.layout import MODEL, TEST, Layout, split_file
from pipeline.registry.carried_code import write_code
from pipeline.registry.evidence import FOLDER, write_evidence
from pipeline.tasks import TASKS

REQUIREMENTS = ("tensorflow", "keras", "numpy", "pandas", "pyarrow", "omegaconf", "mlflow")
CODE = "code"
EXAMPLE, EXAMPLE_ROWS = "input_example.json", 3


def signature_of(schema: Schema) -> ModelSignature:
    """The signature of a registered model: raw columns in, and a column for each part of an answer out.

    MLflow checks a signature before the model sees the rows, and would refuse much that people have: whole numbers for
    numbers, or text for dates. So the columns are named but may hold anything, and the model itself refuses what does
    not fit (serving/raw_model.py). `metadata_of` says what they are.
    """
    anything = AnyType()  # type: ignore[no-untyped-call]
    inputs: list[ColSpec | TensorSpec] = [ColSpec(anything, column.name) for column in schema.features]
    first, *others = TASKS[schema.task].columns(schema.classes)
    outputs: list[ColSpec | TensorSpec] = [ColSpec(DataType.string if schema.classes else DataType.float, first)]
    outputs += [ColSpec(DataType.float, name) for name in others]
    return ModelSignature(MlflowSchema(inputs), MlflowSchema(outputs))


def metadata_of(schema: Schema) -> dict[str, Any]:
    """What MLmodel says of the columns beside the signature: the true type of each, those of its options that are not
    the usual ones, and whether the model takes a missing value."""
    columns = {}
    for column in schema.features:
        usual = asdict(type(column.config)(column.config.type))
        options = {key: value for key, value in asdict(column.config).items() if value != usual[key]}
        columns[column.name] = {"type": column.config.type, **options, "nullable": column.nullable}
    return {"columns": columns}


def write_mlflow_model(layout: Layout, experiment: str, dataset: str, run_id: str, model_id: str, folder: Path) -> None:
    """Write MLmodel, the Keras file, requirements, an input example and the evidence into `folder`."""
    prepared = layout.prepared(dataset)
    schema = Schema.read(prepared)
    data = folder / "data"
    data.mkdir(parents=True)
    (data / MODEL).write_bytes((layout.trained(experiment) / MODEL).read_bytes())
    (data / "keras_module.txt").write_text("keras")
    (data / "save_format.txt").write_text("tf")
    packages = {name: None for column in schema.features for name in column.type.packages}
    requirements = [f"{name}=={version(name)}" for name in (*REQUIREMENTS, *packages)]
    (folder / "requirements.txt").write_text("".join(f"{line}\n" for line in requirements))
    environment = {"dependencies": [f"python={_python()}", "pip", {"pip": requirements}], "name": "mlflow-env"}
    (folder / "conda.yaml").write_text(yaml.safe_dump(environment))
    python_env = {"python": _python(), "build_dependencies": ["pip"], "dependencies": ["-r requirements.txt"]}
    (folder / "python_env.yaml").write_text(yaml.safe_dump(python_env))
    model = Model(run_id=run_id, model_id=model_id, signature=signature_of(schema), metadata=metadata_of(schema))
    model.add_flavor(
        "tensorflow", data="data", model_type="keras", keras_version=version("keras"), save_format="tf", code=None
    )
    model.add_flavor(
        "python_function",
        loader_module=write_code(layout.root / "src" / "pipeline", folder / CODE),
        data="data",
        code=CODE,
        env={"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
        python_version=_python(),
    )
    model.saved_input_example_info = {"artifact_path": EXAMPLE, "type": "dataframe", "pandas_orient": "split"}
    (folder / EXAMPLE).write_text(json.dumps(_example(prepared, schema)))
    model.save(str(folder / "MLmodel"))
    write_evidence(layout, experiment, folder / FOLDER)


def _example(prepared: Path, schema: Schema) -> dict[str, Any]:
    """The first test rows in the form of a data frame."""
    first = next(SplitFile(prepared / split_file(TEST), schema).chunks())
    columns = [first.table[column.name].slice(0, EXAMPLE_ROWS).to_pylist() for column in schema.features]
    rows = [
        [_plain(value, column.config) for value, column in zip(row, schema.features, strict=True)]
        for row in zip(*columns, strict=True)
    ]
    return {"columns": [column.name for column in schema.features], "data": rows}


def _plain(value: Any, config: ColumnConfig) -> Any:
    """A value as JSON holds it; dates and times are texts in the column's format, and bytes are in base64."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if not isinstance(value, datetime.date):
        return value
    written = getattr(config, "format", ISO)
    if written == ISO:
        return value.isoformat()
    # a moment with an offset is stored in UTC
    if isinstance(value, datetime.datetime) and "%z" in written:
        value = value.replace(tzinfo=datetime.UTC)
    return value.strftime(written)


def _python() -> str:
    import platform

    return platform.python_version()
