"""`python -m pipeline.evaluate experiment=cnn_digits`: score the stored test predictions."""

from typing import TYPE_CHECKING

from pipeline.config import Config
from pipeline.hydra_command import hydra_command
from pipeline.layout import HISTORY, METRICS, PLOTS, PREDICTIONS, REPORT, SCORES, TEST, TRAIN, Layout, split_file

if TYPE_CHECKING:
    from pipeline.evaluation.report import Report


def evaluate(config: Config) -> None:
    """Write report.json, metrics.json, scores.parquet and plots/ of one experiment, whole or not at all."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    import sklearn.ensemble  # noqa: F401  (see below)
    from threadpoolctl import threadpool_limits

    from pipeline.data.history import read_history
    from pipeline.data.prepared import ROW, TARGET, SplitFile, best_possible
    from pipeline.data.related import read_related
    from pipeline.data.sampling import sample
    from pipeline.data.schema import Schema
    from pipeline.evaluation import report
    from pipeline.evaluation.plots import write_plots
    from pipeline.evaluation.predictions import read_predictions
    from pipeline.evaluation.reference import most_rows
    from pipeline.evaluation.units import UNIT, units_of
    from pipeline.files import replacing_folder, write_json
    from pipeline.tasks import TASKS

    layout = Layout.find()
    prepared = layout.prepared(config.dataset.name)
    schema = Schema.read(prepared)
    all_train, test = (SplitFile(prepared / split_file(split), schema) for split in (TRAIN, TEST))
    train, units = sample(all_train, most_rows(schema)), units_of(read_related(prepared))
    trained = layout.trained(config.name)
    predicted, history = read_predictions(trained / PREDICTIONS, schema, test, train), read_history(trained / HISTORY)
    # The order in which BLAS and OpenMP sum depends on their number of threads, which by default is the number of
    # cores. One thread gives the same bits on every machine. Only libraries that are loaded are limited, so
    # scikit-learn, which brings its own, is imported above.
    with threadpool_limits(limits=1):
        best = best_possible(prepared)
        found = report.build_report(
            config.name, config.evaluation, schema, train, all_train.target, test, predicted, best, units
        )
    task = TASKS[schema.task]
    with replacing_folder(layout.evaluated(config.name)) as folder:
        write_json(folder / REPORT, found)
        write_json(folder / METRICS, report.comparable(found))
        columns = {
            ROW: test.row_ids,
            TARGET: test.target,
            task.row_score: task.row_scores(test.target, predicted),
        }
        if units is not None:
            columns[UNIT] = units.of_row
        pq.write_table(pa.table(columns), folder / SCORES)
        write_plots(folder / PLOTS, config.name, schema, history, test, predicted)
    print(summary(found))


def summary(report: "Report") -> str:
    """One line with the score, its interval, the references' scores, the baseline's, and the best possible one where it
    is known."""
    from pipeline.evaluation.report import shown

    name = report["primary"]
    others = [f"{report['baseline']['model']} {report['baseline'][name]:.4f}"]
    for other in reversed(report["references"]):
        some = f" (of {other['training_rows']:,} training rows)" if other["training_rows"] < other["of_rows"] else ""
        others.insert(0, f"{other['model']} {other[name]:.4f}{some}")
    if name in (best := report.get("best_possible", {})):
        others.append(f"best possible {best[name]:.4f}")
    where = "its training rows" if report["split"] == "none" else f"{report['rows']} test rows"
    by = f" ({report['resampled']})" if "resampled" in report else ""
    return f"{report['experiment']}: {name} {shown(report['test'][name])} on {where}{by}; {', '.join(others)}"


def main() -> None:
    hydra_command(evaluate, "config")


if __name__ == "__main__":
    main()
