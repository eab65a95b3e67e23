"""`python -m pipeline.predict model=cnn_digits input=rows.parquet output=out.parquet`: raw rows to predictions."""

import sys
from pathlib import Path

import numpy as np

from pipeline.cli import argument_command
from pipeline.config import PredictConfig, TensorFlowConfig
from pipeline.layout import MODEL, Layout


def predict(config: PredictConfig) -> None:
    """Write the predictions for each row of `input`; `model` is a trained experiment or a .keras file.

    `input` is a file in a format that a dataset may have (csv, tsv, jsonl, parquet, arrow), and `output` ends with
    .parquet or .csv. `format`, `separator`, `header`, `encoding`, `quote` and `newlines` say how the input is written,
    as in a dataset's YAML: `separator=';' encoding=latin-1`.
    """
    from pipeline.serving import batch
    from pipeline.serving.archive import load_served, precision_of, schema_of
    from pipeline.serving.row_files import read_file
    from pipeline.tensorflow_process import load_tensorflow, start_session

    named = Layout.find().trained(config.model) / MODEL
    path = named if named.is_file() else Path(config.model)
    schema = schema_of(path)
    rows, table = read_file(schema, config)
    settings = TensorFlowConfig(precision=precision_of(path))
    load_tensorflow(settings)
    start_session(settings, seed=0)
    served = load_served(path)
    predictions = batch.predict(served, schema, table)
    batch.write_predictions(Path(config.output), [(np.array(rows), predictions)])
    if (without := batch.rows_without_answer(predictions)).any():
        first, count = rows[int(without.argmax())], without.sum()
        print(f"{config.input}: {count} rows get no finite prediction, first row {first}", file=sys.stderr)
    print(f"{config.output}: {table.num_rows} predictions of {path}")


def main() -> None:
    argument_command(PredictConfig, predict, __doc__)


if __name__ == "__main__":
    main()
