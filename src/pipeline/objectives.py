"""The scores by which a sweep compares its trainings, each with the weights that its training has kept.

They come from the history where each epoch measures them, and else from the saved model.
"""

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.files import digest_value, write_json
from pipeline.layout import HISTORY, MODEL, OBJECTIVES, TENSORBOARD
from pipeline.reach import code_of_files
from pipeline.run import Run
from pipeline.tracking.sweep_job import SweepJob

if TYPE_CHECKING:
    from pipeline.data.history import EpochValues

# A score that any model has: the number of its trainable weights.
PARAMETERS = "parameters"
CODE = "code"  # in the file that keeps scores, a digest of the code that has computed them
HERE = Path(__file__).parent


def scoring_code(package: Path) -> dict[str, str]:
    """A digest of each file that computes scores: another score would be another number of the same name."""
    return code_of_files(package, [package / "objectives.py", *sorted((package / "tasks" / "scores").glob("*.py"))])


def trained_before(run: Run, job: SweepJob, objectives: tuple[str, ...]) -> "list[EpochValues] | None":
    """The history of a finished run of this identity whose output is there. A search, which keeps the models of its
    best trials alone, does without the model where all its objectives are known."""
    from pipeline.tracking.recording import finished_epochs

    history = finished_epochs(run.identity, run.layout)
    if not history or not (run.output / HISTORY).is_file():
        return None
    suffices = bool(job.objectives) and set(objectives) <= {*history[0], *known_scores(run)}
    return history if suffices or (run.output / MODEL).is_file() else None


def scored(run: Run, history: "list[EpochValues]", objectives: tuple[str, ...]) -> dict[str, float]:
    """The values of the objectives with the weights that the training has kept. They come from the history where each
    epoch measures them. The others are computed with the saved model, and kept in the run's folder, where a search
    finds them when it has removed the model."""
    from pipeline.training.early_stopping import kept_epoch

    kept = kept_epoch([values["val_loss"] for values in history], run.config.trainer.early_stopping)
    known = known_scores(run) | history[kept]
    if missing := [name for name in objectives if name not in known]:
        from pipeline.tracking.tensorboard import write_kept

        found = measured(run, missing)
        known |= found
        finite = {name: value for name, value in found.items() if math.isfinite(value)}
        write_json(run.folder / OBJECTIVES, {CODE: digest_value(scoring_code(HERE)), **known_scores(run), **finite})
        write_kept(run.folder / TENSORBOARD, kept + 1, history[kept] | found)
    return {name: known[name] for name in objectives}


def known_scores(run: Run) -> dict[str, float]:
    """The scores of a run that were computed with its model, by name, if by the code of today."""
    try:
        known: dict[str, Any] = json.loads((run.folder / OBJECTIVES).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}  # they are computed again
    return known if known.pop(CODE, None) == digest_value(scoring_code(HERE)) else {}


def measured(run: Run, objectives: list[str]) -> dict[str, float]:
    """Scores that need the saved model: test metrics on the validation rows, and the number of trainable weights."""
    from pipeline.data.sampling import TrainingData
    from pipeline.serving.archive import load_served, schema_of
    from pipeline.serving.batch import metrics_of
    from pipeline.tensorflow_process import load_tensorflow, start_session

    trainer = run.config.trainer
    # where this job was trained before, nothing has set up TensorFlow yet, and the next job may have to train
    load_tensorflow(trainer.tensorflow)
    start_session(trainer.tensorflow, run.config.seed)
    served = load_served(run.output / MODEL)
    found = {PARAMETERS: float(sum(math.prod(weight.shape) for weight in served.trainable_weights))}
    if set(objectives) - set(found):
        data = TrainingData.open(run.prepared, trainer.resident_bytes, trainer.limit)
        metrics = metrics_of(served, data.validation, schema_of(run.output / MODEL))
        found |= {f"val_{name}": value for name, value in metrics.items()}
    return {name: found[name] for name in objectives}
