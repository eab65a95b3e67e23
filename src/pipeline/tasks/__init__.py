"""The tasks: what is asked of a model.

To add a task, write a file beside this one with a subclass of `Task` (its docstring has an example), and a line in
TASKS.
"""

from pipeline.tasks.binary import Binary
from pipeline.tasks.multiclass import Multiclass
from pipeline.tasks.regression import Regression
from pipeline.tasks.task import Task

TASKS: dict[str, Task] = {"regression": Regression(), "binary": Binary(), "multiclass": Multiclass()}


def objectives(task: Task) -> tuple[str, ...]:
    """What a training of this task can be scored by: its validation loss, or a test metric on the validation rows."""
    return ("val_loss", *(f"val_{name}" for name in task.metrics))


def larger_is_better(objective: str) -> bool:
    """Whether a larger value of an objective is better, whichever task it belongs to."""
    name = objective.removeprefix("val_")
    return any(task.metrics[name].higher_is_better for task in TASKS.values() if name in task.metrics)
