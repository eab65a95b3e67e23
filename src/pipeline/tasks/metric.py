"""What a test metric is: which way is better, and which interval it gets."""

from dataclasses import dataclass

PROPORTION, LUCKY, SMOOTH = "proportion", "lucky", "smooth"


@dataclass(frozen=True)
class Metric:
    """`kind` chooses the interval (docs/evaluation.md): a PROPORTION is a share of rows; a LUCKY metric reaches its
    best value where no test row happens to be wrong; what is SMOOTH does neither."""

    higher_is_better: bool
    kind: str = SMOOTH

    def misses(self, value: float, limit: float) -> bool:
        """Whether `value` is worse than `limit`: below a minimum of what should be large, above a maximum of what
        should be small. What is not a number misses every limit."""
        return not (value >= limit if self.higher_is_better else value <= limit)

    @property
    def limit(self) -> str:
        return "minimum" if self.higher_is_better else "maximum"
