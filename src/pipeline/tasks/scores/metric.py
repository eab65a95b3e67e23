"""What a test metric is: whether a larger or a smaller value is better, and which interval it gets."""

from dataclasses import dataclass

PROPORTION, LUCKY, SMOOTH = "proportion", "lucky", "smooth"


@dataclass(frozen=True)
class Metric:
    """`kind` chooses the interval (docs/evaluation.md). A PROPORTION is a share of rows. A LUCKY metric reaches its
    best value when no test row happens to be wrong. A SMOOTH metric is neither. The value of one that `ranks` depends
    on how rows are ranked among one another, so the answers must be of one model."""

    higher_is_better: bool
    kind: str = SMOOTH
    ranks: bool = False

    def misses(self, value: float, limit: float) -> bool:
        """Whether `value` is worse than `limit`, which is a minimum where larger is better and else a maximum. A NaN
        misses every limit."""
        return not (value >= limit if self.higher_is_better else value <= limit)

    @property
    def limit(self) -> str:
        return "minimum" if self.higher_is_better else "maximum"


REGRESSION_METRICS = {
    "mae": Metric(higher_is_better=False),
    "rmse": Metric(higher_is_better=False),
    "r2": Metric(higher_is_better=True),
}
CLASS_METRICS = {
    "accuracy": Metric(higher_is_better=True, kind=PROPORTION),
    "balanced_accuracy": Metric(higher_is_better=True, kind=LUCKY),
    "macro_f1": Metric(higher_is_better=True, kind=LUCKY),
    "mcc": Metric(higher_is_better=True, kind=LUCKY),
    "roc_auc": Metric(higher_is_better=True, kind=LUCKY, ranks=True),
    "pr_auc": Metric(higher_is_better=True, kind=LUCKY, ranks=True),
    "log_loss": Metric(higher_is_better=False),
    "brier": Metric(higher_is_better=False),
    "calibration_error": Metric(higher_is_better=False),
}
