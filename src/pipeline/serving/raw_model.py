"""The registered model: raw rows in, a table of answers out.

MLflow loads it from a model's folder, which holds this code (registry/carried_code.py), so that neither the package nor
a checkout is needed.
"""

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from mlflow.exceptions import MlflowException
from mlflow.types.schema import AnyType

from pipeline.errors import PipelineError
from pipeline.layout import MODEL
from pipeline.serving.archive import load_served, schema_of
from pipeline.serving.batch import no_answer, predict, rows_without_answer
from pipeline.serving.csv_text import INPUT, read_csv_text
from pipeline.serving.forms import as_table
from pipeline.serving.rows import read_rows


class RawModel:
    """What `mlflow.pyfunc` calls.

    For example::

        model = mlflow.pyfunc.load_model("models:/logistic_penguins@champion")
        model.predict(pd.read_csv("penguins.csv"))  # a frame with `prediction` and `probability_<class>`
    """

    def __init__(self, folder: Path) -> None:
        self._schema = schema_of(folder / MODEL)
        self._served = load_served(folder / MODEL)

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """The answer to each row of a data frame, a dict of columns, or a list of records.

        The order of the columns does not matter, and columns that the model does not take are ignored. Raises
        MlflowException (a bad request) for values that training could not have seen; its text names columns and rows.
        """
        try:
            return self._answer(read_rows(self._schema, as_table(model_input, self._schema), INPUT))
        except PipelineError as error:
            raise MlflowException.invalid_parameter_value(str(error)) from error

    def _answer(self, rows: pa.Table) -> pd.DataFrame:
        answers = predict(self._served, self._schema, rows)
        if len(without := rows_without_answer(answers)):
            raise no_answer(INPUT, [f"row {i + 1}" for i in without])
        return pd.DataFrame(answers)


def _load_pyfunc(path: str) -> RawModel:
    """What MLflow calls with the path of the model's data."""
    take_csv_text()
    return RawModel(Path(path))


def take_csv_text() -> None:
    """Let MLflow's server take CSV text.

    Its parser asks the signature for pandas' types of the columns. Those of any type have none (signature_of in
    registry/package.py says why they are of any type), so MLflow 3.17 refuses each text. In their place, this process
    reads the text as it is; for a signature of other types nothing changes.
    """
    from mlflow.pyfunc import scoring_server

    parse = getattr(scoring_server, "parse_csv_input", None)
    if parse is None:
        return  # another MLflow than the model was registered with; all but CSV text works

    def parse_csv_of_any_type(csv_input: Any, schema: Any = None) -> pd.DataFrame:
        if schema is None or not all(isinstance(kind, AnyType) for kind in schema.input_types()):
            return parse(csv_input, schema)
        try:
            return pd.DataFrame(read_csv_text(csv_input.read(), schema.input_names()))
        except PipelineError as error:
            raise MlflowException.invalid_parameter_value(str(error)) from error

    # Another model in this process may have done so before, perhaps with code of its own.
    if parse.__name__ != parse_csv_of_any_type.__name__:
        scoring_server.parse_csv_input = parse_csv_of_any_type
