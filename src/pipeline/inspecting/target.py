"""What is asked of a target: numbers or classes."""

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.config.checks import one_of
from pipeline.errors import DataError
from pipeline.inspecting.columns import alike
from pipeline.inspecting.found import CODES, FEW_CODES, Found
from pipeline.tasks import TASKS

ROWS_EACH = 10  # that each of several numbers must have, to be taken for a class
MOST_CLASSES = 100


def task_of(target: Found, rows: int, task: str | None) -> str:
    """What can be asked of a target that so many rows have, unless `task` says so. Raises DataError for a target that
    the task cannot answer."""
    where = f"target '{target.name}'"
    if task is not None:
        one_of("task", task, tuple(TASKS))
    if target.type in (None, "date", "datetime"):
        raise DataError(f"{where}: found {target.type or target.why}, expected classes or numbers.")
    if target.distinct < 2:
        found = "one value only" if target.distinct else "no value in any row"
        raise DataError(f"{where}: found {found}, expected two values or more.")
    if task is None:
        few = (target.distinct == 2 and rows >= 4) or (
            target.distinct <= FEW_CODES and target.distinct * ROWS_EACH <= rows
        )
        numbers = target.type == "number" and not (target.whole and few)
        return "regression" if numbers else "binary" if target.distinct == 2 else "multiclass"
    if task == "regression" and target.type != "number":
        raise DataError(f"{where}: found {target.type} ({target.shown}), expected numbers for task=regression.")
    if task == "binary" and target.distinct != 2:
        raise DataError(f"{where}: found {target.distinct} values, expected two for task=binary. Use task=multiclass.")
    return task


def set_target(target: Found, task: str) -> None:
    """Let the target's column be what the task needs, and say what that means."""
    target.remarks = ["the target", *(remark for remark in target.remarks if remark != target.why)]
    target.why = ""
    if not TASKS[task].has_classes:
        return
    if target.type == "number":
        target.remarks = [remark for remark in target.remarks if CODES not in remark]
        target.remarks.append("whole numbers, taken for classes (else add task=regression)")
    target.type, target.options = "category", {}
    if target.distinct > MOST_CLASSES:
        target.remarks.append(f"{target.distinct} classes are many")


def check_classes(target: Found, values: pa.Array) -> None:
    """Raise DataError for classes that a person would take for the same, which `prepare` refuses."""
    if not pa.types.is_string(values.type):
        return
    classes = [text for text in pc.unique(values.drop_null()).to_pylist() if text not in target.absent]
    for one, other in alike(classes):
        raise DataError(
            f"target '{target.name}': the class {one!r} differs from {other!r} by case or blanks alone. Write them the "
            "same way."
        )
