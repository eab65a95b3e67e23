"""What is kept with each trial, and what it says."""

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

from pipeline.tracking.sweep_job import FAILED, FINISHED, PRUNED, RUNNING

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

OVERRIDES, RESULT, WORKER = "overrides", "result", "worker"
STATUSES = {"COMPLETE": FINISHED, "PRUNED": PRUNED, "FAIL": FAILED}  # by Optuna's names


@dataclass(frozen=True)
class Result:
    """How a trial ended: `status` is FINISHED, PRUNED or FAILED. There is one of `values` for each objective; of a
    pruned trial, the last value of the first one. A constraint is kept where its value is 0 or less. `log` is the file
    with the traceback of a failed trial. `started` is in seconds since 1970."""

    status: str
    values: tuple[float, ...] = ()
    constraints: tuple[float, ...] = ()
    identity: str = ""
    epochs: int = 0
    started: float = 0.0
    seconds: float = 0.0
    error: str = ""
    log: str = ""

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def result_of(trial: "FrozenTrial") -> Result:
    """What is known of a trial; RUNNING and nothing else where it has not ended."""
    note = trial.user_attrs.get(RESULT, {})
    if (status := status_of(trial)) == RUNNING:
        return Result(RUNNING)
    known = {entry.name: note[entry.name] for entry in fields(Result) if entry.name in note}
    sequences = {name: tuple(known.get(name, ())) for name in ("values", "constraints")}
    return Result(**{**known, **sequences, "status": status})


def status_of(trial: "FrozenTrial") -> str:
    return STATUSES.get(trial.state.name, RUNNING)


def feasible(trial: "FrozenTrial") -> bool:
    return all(value <= 0 for value in trial.constraints.values())
