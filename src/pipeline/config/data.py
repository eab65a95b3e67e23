"""The configuration of a dataset, and of how its rows are dealt out to the splits."""

from dataclasses import dataclass

from omegaconf import MISSING

from pipeline.config.checks import check, check_name, one_of


@dataclass
class SplitConfig:
    """Which fractions of the rows are for testing and for validation. `seed` is not the training's seed, so that a
    change of the training's seed moves no row to another split."""

    seed: int = MISSING
    test: float = MISSING
    validation: float = MISSING

    def check(self) -> None:
        for name in ("test", "validation"):
            value = getattr(self, name)
            check(0 < value < 1, f"params.yaml: split.{name}", value, "a fraction between 0 and 1")
        total = self.test + self.validation
        check(total < 1, "params.yaml: split.test + split.validation", total, "less than 1")


@dataclass
class DatasetConfig:
    """One dataset: where its rows come from, what they are, and what is asked of them.

    `source`, `modality` and `task` are names in SOURCES, PREPROCESSING and TASKS. A source's own settings stand in its
    file in data/sources/. With `split: none`, every split has all rows. `weight` names a numeric column that says how
    much a row counts in training (not in evaluation).
    """

    name: str = MISSING
    source: str = MISSING
    modality: str = MISSING
    task: str = MISSING
    split: str = "hash"
    weight: str | None = None

    def check(self) -> None:
        check_name("dataset", self.name)
        one_of("dataset.split", self.split, ("hash", "none"))
