"""`python -m pipeline.cross_validate experiment=logistic_penguins [folds=5] [key=value]`: a score over all rows."""

import sys
from typing import TYPE_CHECKING, Any

from pipeline.cli import described_command, terminate_as_interrupt

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.run import Run


def cross_validate() -> None:
    """Deal the rows out to so many folds, train a model for each that has not seen its rows, and score the answers to
    all rows together. For datasets that are too small for a test split.

    Each training is a run by hand with split.folds and split.fold, so a fold that was trained before is not trained
    again. The folder of the records gets report.json and predictions.parquet. Nothing is registered.
    """
    from pipeline.files import write_json
    from pipeline.jobs import numbers_among, train_jobs
    from pipeline.layout import PREDICTIONS, REPORT, TOTAL, Layout
    from pipeline.tracking.sweep_end import deliver_sweep

    terminate_as_interrupt()
    given, overrides = numbers_among(sys.argv[1:], {"folds": 5}, {"folds": 2})
    layout, folds = Layout.find(), given["folds"]
    jobs = [[*overrides, f"split.folds={folds}", f"split.fold={fold}"] for fold in range(folds)]
    folder, runs = train_jobs(layout, jobs)
    report = score(runs, folder / PREDICTIONS)
    write_json(folder / REPORT, report)
    total = report["all"][report["primary"]]
    write_json(folder / TOTAL, {f"all_rows_{report['primary']}{ENDS[key]}": value for key, value in total.items()})
    address = deliver_sweep(layout, folder.name)
    print(summary(report))
    print(f"report and predictions in {folder}, MLflow run sweep-{folder.name} at {address}")


ENDS = {"value": "", "low": "_low", "high": "_high"}


def score(runs: "list[Run]", predictions: "Path") -> dict[str, Any]:
    """The report of all folds. Writes their predictions side by side, with the number of each row's fold. The rows of
    one fold are in memory at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    import sklearn.ensemble  # noqa: F401  (a library is limited only if it is loaded)
    from threadpoolctl import threadpool_limits

    from pipeline.data.prepared import SplitFile, read_table
    from pipeline.data.related import read_related
    from pipeline.data.schema import Schema
    from pipeline.evaluation.folds import fold_report, judged
    from pipeline.evaluation.predictions import read_predictions
    from pipeline.files import replacing
    from pipeline.layout import PREDICTIONS, TEST, TRAIN, split_file

    schema, folds, tables = Schema.read(runs[0].prepared), [], []
    config = runs[0].config
    with threadpool_limits(limits=1):  # as in evaluate
        for number, run in enumerate(runs):
            train, test = (SplitFile(run.prepared / split_file(split), schema) for split in (TRAIN, TEST))
            path = run.output / PREDICTIONS
            predicted = read_predictions(path, schema, test, train)
            related = read_related(run.prepared)
            folds.append(judged(run.folder.name, schema, train, test, predicted, related))
            tables.append(read_table(path).append_column("fold", pa.array([number] * test.num_rows)))
        with replacing(predictions) as temporary:
            pq.write_table(pa.concat_tables(tables), temporary)
        return fold_report(config.name, config.evaluation, schema, folds)


def summary(report: dict[str, Any]) -> str:
    """A table of the folds, and a line with the score over all rows, the references' and the baseline's."""
    from pipeline.evaluation.report import shown
    from pipeline.tracking.columns import aligned

    name = report["primary"]
    rows = [[str(i), str(fold["rows"]), f"{fold[name]:.4f}", fold["run"]] for i, fold in enumerate(report["folds"])]
    others = [f"{other['model']} {other[name]:.4f}" for other in [*report["references"], report["baseline"]]]
    by = f" ({report['resampled']})" if "resampled" in report else ""
    return (
        f"{aligned([['fold', 'rows', name, 'run'], *rows])}\n"
        f"{report['experiment']}: {name} {shown(report['all'][name])} on all {report['rows']} rows{by}, "
        f"in {len(rows)} folds; {', '.join(others)}"
    )


def main() -> None:
    described_command(cross_validate, __doc__)


if __name__ == "__main__":
    main()
