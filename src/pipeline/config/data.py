"""What is read: a data set, and how its rows are dealt out."""

from dataclasses import dataclass

from omegaconf import MISSING

from pipeline.config.checks import check, check_name, one_of


@dataclass
class SplitConfig:
    """How rows are dealt out. Its seed is not the training seed: another seed moves no row."""

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
    """One data set: where its rows come from, what they are, what is asked of them. `source`, `modality` and `task` are
    names in SOURCES, PREPROCESSING and TASKS; a source's own settings stand in its file, data/sources/. `weight` names
    a numeric column that says how much a row counts in training (not in evaluation)."""

    name: str = MISSING
    source: str = MISSING
    modality: str = MISSING
    task: str = MISSING
    split: str = "hash"
    weight: str | None = None

    def check(self) -> None:
        check_name("dataset", self.name)
        one_of("dataset.split", self.split, ("hash", "none"))
