"""`python -m pipeline.predict model=cnn_digits input=rows.parquet output=out.parquet`: raw rows to predictions."""

from pathlib import Path

from pipeline.cli import argument_command
from pipeline.config import PredictConfig, TensorFlowConfig
from pipeline.config.experiment import REFUSE
from pipeline.layout import MODEL, Layout


def predict(config: PredictConfig) -> None:
    """Write the predictions for each row of `input`; `model` is a trained experiment or a .keras file.

    `input` is a file in a format that a dataset may have (csv, tsv, jsonl, parquet, arrow), or FASTA, or with
    `format=lines` one of which each line is a text; for a model of images, recordings or texts it may be a folder, a
    glob or a file of these, too. For a model of series it is a table with a row for each moment, as the dataset's files
    are, from which windows are cut. `output` ends with .parquet or .csv.
    `format`, `separator`, `header`, `encoding`, `quote` and `newlines` say how the input is written, as in a dataset's
    YAML: `separator=';' encoding=latin-1`. With `on_bad_row=skip`, rows or files that cannot be used are left out.
    """
    from pipeline.serving import batch
    from pipeline.serving.archive import load_served, precision_of, schema_of
    from pipeline.serving.inputs import read_input
    from pipeline.tensorflow_process import load_tensorflow, start_session

    named = Layout.find().trained(config.model) / MODEL
    path = named if named.is_file() else Path(config.model)
    schema = schema_of(path)
    parts = read_input(schema, config)
    settings = TensorFlowConfig(precision=precision_of(path))
    load_tensorflow(settings)
    start_session(settings, seed=0)
    served = load_served(path)
    where = config.input if config.on_bad_row == REFUSE else f"{config.input}, counted without what was left out"
    answers = batch.Answers(served, schema, parts, where)
    batch.write_predictions(Path(config.output), answers)
    print(f"{config.output}: {answers.num_rows} predictions of {path}")


def main() -> None:
    argument_command(PredictConfig, predict, __doc__)


if __name__ == "__main__":
    main()
