"""A key that is searched, and its values."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

Value = str | float  # a choice is the text that Hydra reads; a number is a number


@dataclass(frozen=True)
class Parameter:
    """A key that is searched. `texts` are its values as Hydra reads them, for a choice or a range; numbers between
    `low` and `high` have none. `when` holds the values that other keys must have for this one to be there."""

    key: str
    prefix: str = ""  # + or ++
    texts: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0
    step: float = 0.0  # of a range; 0 for others
    log: bool = False
    whole: bool = False
    when: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def numeric(self) -> bool:
        return self.high > self.low or not self.texts

    @property
    def size(self) -> int:
        """How many values there are; 0 for an interval of numbers."""
        return len(self.texts)

    def text(self, value: Value) -> str:
        """`value` as Hydra reads it."""
        if isinstance(value, str):
            return value
        if self.texts:
            return self.texts[self.index(value)]
        return str(round(value)) if self.whole else repr(float(value))

    def index(self, value: Value) -> int:
        """Where `value` stands in `texts`."""
        if isinstance(value, str):
            return self.texts.index(value)
        return round((value - self.low) / self.step) if self.step else 0

    def value(self, index: int) -> Value:
        """The value whose text is `texts[index]`."""
        return float(self.texts[index]) if self.numeric else self.texts[index]

    @property
    def distribution(self) -> "BaseDistribution":
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        if not self.numeric:
            return CategoricalDistribution(self.texts)
        if self.whole:
            return IntDistribution(int(self.low), int(self.high), log=self.log, step=int(self.step) or 1)
        return FloatDistribution(self.low, self.high, log=self.log, step=self.step or None)
