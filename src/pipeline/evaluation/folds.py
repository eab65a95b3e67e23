"""The score of a cross-validation: over all rows, each of which was answered by a model that has not seen it."""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from pipeline.config import EvaluationConfig
from pipeline.data.prepared import SplitFile
from pipeline.data.related import Related, joined
from pipeline.data.sampling import sample
from pipeline.data.schema import Schema
from pipeline.evaluation.intervals import intervals
from pipeline.evaluation.reference import BASELINES, REFERENCES, most_rows
from pipeline.evaluation.report import resampled_by, rounded
from pipeline.evaluation.units import units_of
from pipeline.tasks import TASKS
from pipeline.tasks.scores import estimates
from pipeline.tasks.task import Target

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Fold:
    """The `target` of the rows that one of the models has not seen, and what it `predicted` for them; what the
    `references` answered, by name, and the `guess` of the baseline. `training_rows` is how many of the `of_rows` rows
    for training each reference has learned from. `run` is the name of the model's training. `related` says how the
    rows hang together, where they are not independent."""

    run: str
    target: Target
    predicted: Array
    references: dict[str, Array]
    training_rows: dict[str, int]
    of_rows: int
    guess: Array
    related: Related | None = None


def judged(
    run: str, schema: Schema, all_train: SplitFile, test: SplitFile, predicted: Array, related: Related | None
) -> Fold:
    """A fold, of which no feature is kept: what was `predicted` for its `test` rows, and what others answer to them."""
    task, answers, seen = TASKS[schema.task], {}, {}
    train = sample(all_train, most_rows(schema))
    for name in task.references:
        if most := REFERENCES[name].most_rows(schema):
            rows = train if train.num_rows <= most else sample(train, most)
            answers[name], seen[name] = REFERENCES[name].answers(schema, rows, test), rows.num_rows
    guess = BASELINES[task.baseline](all_train.target, len(schema.classes), test.num_rows)
    return Fold(run, test.target, predicted, answers, seen, all_train.num_rows, guess, related)


def fold_report(experiment: str, config: EvaluationConfig, schema: Schema, folds: list[Fold]) -> dict[str, Any]:
    """The content of report.json: each metric over all rows with its interval, that of the references and of the
    baseline on the same folds, and the metrics of each fold.

    The interval is made as that of a test split. It says nothing of how much the score would change with other training
    rows, for which no unbiased estimate exists (Bengio and Grandvalet 2004).
    """
    task = TASKS[schema.task]
    target = np.concatenate([fold.target for fold in folds])
    predicted = [fold.predicted for fold in folds]
    means = _mean_ranks(schema, folds, predicted)
    others = {name: metric for name, metric in task.metrics.items() if not metric.ranks}
    units = units_of(joined([fold.related for fold in folds]))
    found = intervals(task.scores(target, np.concatenate(predicted)), others, config, units)
    total = {name: {"value": means[name]} if name in means else found[name].to_json() for name in task.metrics}
    references = [
        {
            "model": name,
            "training_rows": [fold.training_rows[name] for fold in folds],
            "of_rows": [fold.of_rows for fold in folds],
            **_scored(schema, folds, [fold.references[name] for fold in folds]),
        }
        for name in folds[0].references
    ]
    report: dict[str, Any] = {
        "experiment": experiment,
        "dataset": schema.dataset,
        "task": schema.task,
        "rows": len(target),
        "primary": task.primary,
        "confidence": config.confidence,
        "all": total,
        "references": references,
        "baseline": {"model": task.baseline, **_scored(schema, folds, [fold.guess for fold in folds])},
        "folds": [
            {"run": fold.run, "rows": len(fold.target), **estimates(task.scores(fold.target, fold.predicted))}
            for fold in folds
        ],
    }
    if units is not None:
        report["resampled"] = resampled_by(units, config)
    return cast(dict[str, Any], rounded(report))


def _scored(schema: Schema, folds: list[Fold], answers: list[Array]) -> dict[str, float]:
    """Each metric of the answers to each fold."""
    target = np.concatenate([fold.target for fold in folds])
    pooled = estimates(TASKS[schema.task].scores(target, np.concatenate(answers)))
    return pooled | _mean_ranks(schema, folds, answers)


def _mean_ranks(schema: Schema, folds: list[Fold], answers: list[Array]) -> dict[str, float]:
    """The mean over the folds of each metric that ranks rows. Over all rows it would be too low: a fold with more rows
    of a class leaves fewer of them to its model, whose probabilities of that class are then lower. Folds of one class,
    in which there is nothing to rank, do not count, unless all are.
    """
    task = TASKS[schema.task]
    names = [name for name, metric in task.metrics.items() if metric.ranks]
    pairs = [(fold.target, of_fold) for fold, of_fold in zip(folds, answers, strict=True)]
    several = [pair for pair in pairs if len(np.unique(pair[0])) > 1] if names else []
    found = [estimates(task.scores(*pair)) for pair in several or pairs] if names else []
    return {name: float(np.mean([scores[name] for scores in found])) for name in names}
