"""The test score of a trial with its interval, as the stage `evaluate` will find it, from the predictions that its
training has left."""

from pipeline.layout import PREDICTIONS, TEST, TRAIN, split_file
from pipeline.run import Run


def score_on_test_rows(run: Run) -> str | None:
    """The primary metric on the test rows, in words; None where the predictions of this training are not there."""
    path = run.output / PREDICTIONS
    if not path.is_file():
        return None
    import sklearn.ensemble  # noqa: F401  (a library is limited only if it is loaded)
    from threadpoolctl import threadpool_limits

    from pipeline.data.prepared import SplitFile
    from pipeline.data.related import read_related
    from pipeline.data.schema import Schema
    from pipeline.evaluation.intervals import intervals
    from pipeline.evaluation.predictions import read_predictions
    from pipeline.evaluation.report import DIGITS, shown
    from pipeline.evaluation.units import units_of
    from pipeline.tasks import TASKS

    schema = Schema.read(run.prepared)
    train, test = (SplitFile(run.prepared / split_file(split), schema) for split in (TRAIN, TEST))
    task, units = TASKS[schema.task], units_of(read_related(run.prepared))
    predicted = read_predictions(path, schema, test, train)
    with threadpool_limits(limits=1):  # as in evaluate
        found = intervals(task.scores(test.target, predicted), task.metrics, run.config.evaluation, units)
    scored = {key: float(f"{value:.{DIGITS}g}") for key, value in found[task.primary].to_json().items()}
    where = "its training rows" if schema.split == "none" else f"{test.num_rows} test rows"
    return f"{task.primary} {shown(scored)} on {where}"
