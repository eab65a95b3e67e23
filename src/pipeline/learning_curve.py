"""`python -m pipeline.learning_curve experiment=logistic_penguins [steps=6] [seeds=3]`: would more rows help?"""

import sys
from typing import TYPE_CHECKING, Any

from pipeline.cli import described_command, terminate_as_interrupt

if TYPE_CHECKING:
    from pipeline.run import Run

CURVE = "learning_curve"


def learning_curve() -> None:
    """Train on all rows, on half of them, on a quarter and so on, `steps` times, and score the test rows, which are
    always all used. Each is done with so many `seeds`, and each seed keeps other rows.

    Each training is a run by hand with trainer.limit.fraction, so one that was trained before is not trained again. The
    folder of the records gets learning_curve.json and learning_curve.svg. Nothing is registered.
    """
    from pipeline.compose import compose_config
    from pipeline.config import LimitConfig
    from pipeline.errors import ConfigError
    from pipeline.evaluation.plots import write_learning_curve
    from pipeline.files import write_json
    from pipeline.jobs import numbers_among, train_jobs
    from pipeline.layout import Layout
    from pipeline.tracking.sweep_end import deliver_sweep

    terminate_as_interrupt()
    given, overrides = numbers_among(sys.argv[1:], {"steps": 6, "seeds": 3}, {"steps": 2, "seeds": 1})
    layout, count = Layout.find(), given["seeds"]
    config = compose_config(layout, "config", overrides)
    if config.trainer.limit != LimitConfig():
        raise ConfigError("trainer.limit: found a limit, expected none, since each training has one of its own.")
    first = config.seed
    fractions = [0.5**halvings for halvings in range(given["steps"] - 1, -1, -1)]
    jobs = [limited_to(overrides, part, seed) for part in fractions for seed in range(first, first + count)]
    folder, runs = train_jobs(layout, jobs)
    curve = curve_of([runs[i : i + count] for i in range(0, len(runs), count)])
    write_json(folder / f"{CURVE}.json", curve)
    write_learning_curve(folder / f"{CURVE}.svg", curve)
    address = deliver_sweep(layout, folder.name)
    print(summary(curve))
    print(f"numbers and plot in {folder}, MLflow run sweep-{folder.name} at {address}")


def limited_to(overrides: list[str], fraction: float, seed: int) -> list[str]:
    """The overrides of one training. The one on all rows is the same run as without a limit."""
    limit = [f"trainer.limit.fraction={fraction}", f"trainer.limit.seed={seed}"] if fraction < 1 else []
    return [*overrides, *limit, f"seed={seed}"]


def curve_of(points: "list[list[Run]]") -> dict[str, Any]:
    """The content of learning_curve.json, from the runs of each point, which differ only in their seeds."""
    from pipeline.data.prepared import SplitFile
    from pipeline.data.sampling import num_kept
    from pipeline.data.schema import Schema
    from pipeline.evaluation.predictions import read_predictions
    from pipeline.layout import PREDICTIONS, TEST, TRAIN, split_file
    from pipeline.tasks import TASKS
    from pipeline.tasks.scores import estimates

    run = points[-1][0]
    schema = Schema.read(run.prepared)
    task = TASKS[schema.task]
    train, test = (SplitFile(run.prepared / split_file(split), schema) for split in (TRAIN, TEST))
    found = []
    for runs in points:
        rows = num_kept(train.num_rows, runs[0].config.trainer.limit)
        answers = [read_predictions(run.output / PREDICTIONS, schema, test, train) for run in runs]
        scores = [estimates(task.scores(test.target, predicted))[task.primary] for predicted in answers]
        found.append({"rows": rows, "scores": scores, "runs": [run.folder.name for run in runs]})
    return {
        "experiment": run.config.name,
        "metric": task.primary,
        "test_rows": test.num_rows,
        "points": found,
    }


def summary(curve: dict[str, Any]) -> str:
    """A table of the points, and a line on what the last doubling of the rows has brought."""
    from pipeline.tracking.columns import aligned

    name, lines, means = curve["metric"], [], []
    for point in curve["points"]:
        scores = point["scores"]
        means.append(sum(scores) / len(scores))
        lines.append([str(point["rows"]), *(f"{value:.4f}" for value in (means[-1], min(scores), max(scores)))])
    return (
        f"{aligned([['rows', name, 'least', 'greatest'], *lines])}\n"
        f"{curve['experiment']}: twice the rows changed the mean {name} of {curve['test_rows']} test rows by "
        f"{means[-1] - means[-2]:+.4f}, from {means[-2]:.4f} to {means[-1]:.4f}"
    )


def main() -> None:
    described_command(learning_curve, __doc__)


if __name__ == "__main__":
    main()
