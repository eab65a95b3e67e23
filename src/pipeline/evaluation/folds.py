"""The score of a cross-validation: over all rows, each of which was answered by a model that has not seen it."""

from dataclasses import asdict, dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from pipeline.config import EvaluationConfig
from pipeline.data.prepared import AnySplit, Split, sample
from pipeline.data.schema import Schema
from pipeline.evaluation.intervals import intervals
from pipeline.evaluation.reference import BASELINES, REFERENCES
from pipeline.evaluation.report import rounded
from pipeline.tasks import TASKS
from pipeline.tasks.scores import estimates

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Fold:
    """The rows that one of the models has not seen, and what it `predicted` for them; the rows that the references
    learn from, and the `target` of all its training rows. `run` is the name of its training."""

    run: str
    train: Split
    target: NDArray[Any]
    test: AnySplit
    predicted: Array


def fold_report(experiment: str, config: EvaluationConfig, schema: Schema, folds: list[Fold]) -> dict[str, Any]:
    """The content of report.json: each metric over all rows with its interval, that of the references and of the
    baseline on the same folds, and the metrics of each fold.

    The interval takes the rows as independent, as that of a test split does. It says nothing of how much the score
    would change with other training rows, for which no unbiased estimate exists (Bengio and Grandvalet 2004).
    """
    task, classes = TASKS[schema.task], len(schema.classes)
    target = np.concatenate([fold.test.target for fold in folds])

    def scored(answers: list[Array]) -> dict[str, float]:
        return estimates(task.scores(target, np.concatenate(answers)))

    found = intervals(task.scores(target, np.concatenate([fold.predicted for fold in folds])), task.metrics, config)
    references = []
    for name in task.references:
        if most := REFERENCES[name].most_rows(schema):
            answers = [REFERENCES[name].answers(schema, sample(fold.train, most), fold.test) for fold in folds]
            references.append({"model": name, **scored(answers)})
    guesses = [BASELINES[task.baseline](fold.target, classes, fold.test.num_rows) for fold in folds]
    report = {
        "experiment": experiment,
        "dataset": schema.dataset,
        "task": schema.task,
        "rows": len(target),
        "primary": task.primary,
        "confidence": config.confidence,
        "all": {name: asdict(interval) for name, interval in found.items()},
        "references": references,
        "baseline": {"model": task.baseline, **scored(guesses)},
        "folds": [
            {"run": fold.run, "rows": fold.test.num_rows, **estimates(task.scores(fold.test.target, fold.predicted))}
            for fold in folds
        ],
    }
    return cast(dict[str, Any], rounded(report))
