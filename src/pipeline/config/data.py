"""The configuration of a dataset, of its columns, and of how its rows are dealt out to the splits."""

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from string import hexdigits
from typing import Any

from omegaconf import MISSING

from pipeline.config.checks import check, check_name, one_of
from pipeline.config.contract import ContractConfig

SPLIT_METHODS = ("hash", "time", "given", "none")
SAY, TOGETHER, REFUSE, IGNORE = NEAR_DUPLICATES = ("say", "group", "refuse", "ignore")
WEIGHT, GROUP, TIME, FOLD = ROLES = ("weight", "group", "time", "fold")
# The types that a column with a role may have; the first is the one it has if none is named.
ROLE_TYPES = {
    WEIGHT: ("number",),
    GROUP: ("category", "text", "number", "date", "datetime", "boolean"),
    TIME: ("datetime", "date", "number"),
    FOLD: ("category",),
}
# with those of a target among them
TYPES_OF_ROLES = {name for names in ROLE_TYPES.values() for name in names}


@dataclass
class SplitConfig:
    """Which fractions of the rows are for testing and for validation. `seed` is not the training's seed, so that a
    change of the training's seed moves no row to another split.

    With `folds`, the rows are dealt out to so many parts instead, and those of part number `fold` (from 0) are for
    testing; `test` does not count then. With a `group`, each part has as many groups as any other, or one more.
    """

    seed: int = MISSING
    test: float = MISSING
    validation: float = MISSING
    folds: int | None = None
    fold: int | None = None

    def check(self) -> None:
        if self.folds is not None:
            check(self.folds >= 2, "split.folds", self.folds, "2 or more, or null")
            good = self.fold is not None and 0 <= self.fold < self.folds
            check(good, "split.fold", self.fold, f"0 to {self.folds - 1}, as there are {self.folds} folds")
            share = self.validation + 1 / self.folds
            check(share < 1, "split.validation + 1 / split.folds", share, "less than 1")
        check(self.fold is None or self.folds is not None, "split.fold", self.fold, "nothing without split.folds")
        for name in ("test", "validation"):
            value = getattr(self, name)
            check(0 < value < 1, f"params.yaml: split.{name}", value, "a fraction between 0 and 1")
        total = self.test + self.validation
        check(total < 1, "params.yaml: split.test + split.validation", total, "less than 1")

    def check_method(self, method: str) -> None:
        """Raise ConfigError for folds of a dataset whose `split` does not deal rows out by hash."""
        check(self.folds is None or method == "hash", "split.folds", self.folds, f"nothing with dataset.split={method}")


@dataclass
class ColumnConfig:
    """How a column is read. `type` is its name in TYPES, whose files hold the options of each type. `missing` are the
    texts that stand for a missing value; null means the dataset's."""

    type: str = MISSING
    missing: list[str] | None = None


@dataclass
class DownloadConfig:
    """Where a file can be had, and its sha256 as 64 hexadecimal digits. `url` is an address, or a list of them, which
    are tried in turn. With `member`, there is a zip archive, and the file is the one of that name in it.

    With `sums`, it is a folder of files: `sums` is a file in the checkout, of which each line has a sha256 and the name
    of a file, as the program sha256sum writes it. Each file is at the address with its name behind it."""

    url: Any = MISSING
    sha256: str = ""
    member: str = ""
    sums: str = ""

    @property
    def urls(self) -> list[str]:
        return list(self.url) if isinstance(self.url, list | tuple) else [self.url]


@dataclass
class DatasetConfig:
    """One dataset: where its rows come from, what they are, and what is asked of them.

    `source` and `task` are names in SOURCES and TASKS. A source's own settings stand in its file in data/sources/.

    `split` says which rows are for testing: `hash` (by a digest of their inputs), `time` (the last ones), `given` (as a
    column or the files of the data say) or `none` (every split has all rows). A column with a role is no feature:
    `weight` says how much a row counts in training (not in evaluation), all rows of one `group` go to the same split,
    `time` is what `split: time` sorts by, and `fold` holds the names of the splits for `split: given`.

    A column that determines the target, or is a copy of it, is refused as a leak, unless `leakage` is `accept`.

    Of rows that are nearly the same as one another (data/near.py), `near_duplicates` says what happens if some are for
    testing and others not: `say` how many, `refuse` them, deal them out together (`group`), or do not look (`ignore`).

    `contract` is what the rows promise; `prepare` refuses rows that break it.

    `downloads` are files that are fetched into data/raw/ where they are not there, by their path in it.

    `types` are the types of the features. They follow from the source's settings, so they are filled in when the
    configuration is composed.
    """

    name: str = MISSING
    source: str = MISSING
    task: str = MISSING
    split: str = "hash"
    weight: str | None = None
    group: str | None = None
    time: str | None = None
    fold: str | None = None
    leakage: str = "refuse"
    near_duplicates: str = SAY
    contract: ContractConfig | None = None
    downloads: dict[str, DownloadConfig] = field(default_factory=dict)
    types: list[str] = field(default_factory=list)

    @property
    def has_test_files(self) -> bool:
        """Whether files of their own hold the test rows. The source then gives the column with the role `fold`."""
        return False

    @property
    def orders_rows(self) -> bool:
        """Whether the source itself says when a row is. Then `time` is the source's, whatever the split."""
        return False

    def check(self) -> None:
        check_name("dataset", self.name)
        one_of("dataset.split", self.split, SPLIT_METHODS)
        one_of("dataset.leakage", self.leakage, ("refuse", "accept"))
        one_of("dataset.near_duplicates", self.near_duplicates, NEAR_DUPLICATES)
        apart = self.split == "hash" and self.group is None
        expected = "split: hash and no group, or another value"
        check(self.near_duplicates != TOGETHER or apart, "dataset.near_duplicates", self.near_duplicates, expected)
        if self.has_test_files:
            check(self.fold is None, "dataset.fold", self.fold, "nothing where test rows have files of their own")
        for split, role in (("time", TIME), ("given", FOLD)):
            if role == TIME and self.orders_rows:
                continue
            wanted = self.split == split and not (role == FOLD and self.has_test_files)
            check(
                (getattr(self, role) is not None) == wanted,
                f"dataset.{role}",
                getattr(self, role),
                f"the name of a column with split: {split}" if wanted else f"nothing unless split: {split}",
            )
        check(self.group is None or self.split in ("hash", "time"), "dataset.group", self.group, "split: hash or time")
        for name, download in self.downloads.items():
            path = PurePosixPath(name)
            inside = not path.is_absolute() and ".." not in path.parts and path.name != ""
            check(inside, "dataset.downloads", name, "a path in data/raw/, without ..")
            good = all(isinstance(url, str) and url.startswith(("http://", "https://")) for url in download.urls)
            check(
                good, f"dataset.downloads.{name}.url", download.url, "an address that begins with http:// or https://"
            )
            digits = len(download.sha256) in (0, 64) and set(download.sha256) <= set(hexdigits.lower())
            check(digits, f"dataset.downloads.{name}.sha256", download.sha256, "64 hexadecimal digits in lower case")
            alone = not download.sums or not (download.sha256 or download.member)
            check(alone, f"dataset.downloads.{name}.sums", download.sums, "nothing with sha256 or member")
            # DVC reruns `configure` for files in conf/.
            sums = PurePosixPath(download.sums or "conf")
            watched = sums.parts[0] == "conf" and ".." not in sums.parts
            check(watched, f"dataset.downloads.{name}.sums", download.sums, "a file in conf/")
        roles = [name for name in (self.weight, self.group, self.time, self.fold) if name is not None]
        check(
            len(roles) == len(set(roles)), "dataset", roles, "another column for each of weight, group, time and fold"
        )
