"""What stands out of the rows of a dataset and of how they were dealt out, and what is refused for that."""

from pathlib import Path

import numpy as np

from pipeline.config import DatasetConfig, PrepareConfig
from pipeline.config.checks import check
from pipeline.config.data import GROUP, REFUSE, TOGETHER
from pipeline.data import splits
from pipeline.data.collected import Collected
from pipeline.data.digests import Digests
from pipeline.data.near import WITHOUT_COPIES
from pipeline.data.prepared import ROW, TARGET, WEIGHT, open_parquet
from pipeline.data.remarks import MOST_ROWS, some_of
from pipeline.data.sources.source import Columns
from pipeline.data.splits import Places, Summary
from pipeline.errors import DataError
from pipeline.layout import SPLITS, TRAIN, split_file

FEW_ROWS, UNEVEN = 10, 5  # training rows of a class, and how many times as many rows a class has as another
# what deals out rows so that equal ones may be in several splits
WHY_APART = {
    "given": "The split stays as it is given.",
    "time": "Rows are dealt out by their times.",
    "group": "Rows are dealt out by their groups.",
}
MISSING = ":missing"  # a model has a flag of this name for a feature with missing values


def check_rows(
    config: PrepareConfig, found: Collected, repeated: Digests, summary: Summary, places: Places | None
) -> int:
    """Print what stands out of how the rows were dealt out, and return how many contradict others. Raises
    DataError for a split that lacks rows. `repeated` are the digests that several rows have."""
    dataset = config.dataset
    if places is not None:
        # The score of all folds together may well come from a fold without a rare class.
        whole = config.split.folds is None
        method, every_class = (dataset.split, SPLITS) if whole else (splits.FOLDS, (TRAIN,))
        splits.check_counts(dataset.name, summary, method, every_class)
    rule = "group" if found.groups and dataset.split == "hash" else dataset.split
    if places is not None and rule in WHY_APART and len(repeated):
        check_known_tests(dataset, splits.num_tests_known(places, found.digests), rule)
    if places is not None and found.near is not None:
        found.near.check(dataset, places, by_rows=rule == "hash")
    tell_balance(dataset.name, summary)
    if conflicts := found.num_conflicts(repeated):
        rows = "1 row has" if conflicts == 1 else f"{conflicts} rows have"
        print(f"{dataset.name}: {rows} the features of others, but not their most frequent target")
    return conflicts


def tell_duplicates(dataset: str, count: int) -> None:
    """Print how many rows have the features of an earlier one, if any."""
    if count:
        print(f"{dataset}: {'1 row has' if count == 1 else f'{count} rows have'} the features of an earlier row")


def check_known_tests(dataset: DatasetConfig, count: int, rule: str) -> None:
    """Print that so many test rows are known from the other splits, which happens where another rule than the rows'
    digests deals them out. Raises DataError instead where `near_duplicates` is `refuse`."""
    if not count:
        return
    rows = "1 test row has" if count == 1 else f"{count} test rows have"
    told = f"{rows} the features of a row for training or validation. {WHY_APART[rule]}"
    if dataset.near_duplicates == REFUSE:
        raise DataError(f"dataset {dataset.name}: {told} {WITHOUT_COPIES}")
    print(f"{dataset.name}: {told}")


def tell_balance(dataset: str, summary: Summary) -> None:
    """Print which classes have few training rows, and how uneven the classes are."""
    counts = summary[TRAIN]["classes"]
    if few := [f"'{name}' {count}" for name, count in counts.items() if count < FEW_ROWS]:
        print(f"{dataset}: classes with fewer than {FEW_ROWS} training rows: {some_of(few)}")
    if counts and max(counts.values()) > UNEVEN * min(counts.values()):
        most, least = (pick(counts, key=lambda name: counts[name]) for pick in (max, min))
        shares = [f"{100 * counts[name] / summary[TRAIN]['rows']:.1f} % are '{name}'" for name in (most, least)]
        print(f"{dataset}: uneven classes: {' and '.join(shares)} of the training rows")


def check_weights(dataset: DatasetConfig, folder: Path) -> None:
    """Raise DataError where no training row counts."""
    if dataset.weight is None:
        return
    with open_parquet(folder / split_file(TRAIN)) as file:
        parts = file.iter_batches(MOST_ROWS, columns=[WEIGHT])
        counts = any(part[WEIGHT].to_numpy().astype(np.float32).any() for part in parts)
    if not counts:
        raise DataError(f"dataset {dataset.name}: weight '{dataset.weight}' is 0 in all training rows.")


def check_names(columns: Columns) -> None:
    """Raise DataError for a feature that has the name of a column of ours."""
    names = {column.name for column in columns.features}
    for name in names:
        if name in (ROW, TARGET, WEIGHT) or (name.endswith(MISSING) and name.removesuffix(MISSING) in names):
            raise DataError(f"column '{name}': that name is kept for another column. Rename the feature.")


def check_rules(dataset: DatasetConfig, columns: Columns) -> None:
    """Raise ConfigError where groups, which a source may bring itself, and near copies would both deal out the rows."""
    one = dataset.near_duplicates != TOGETHER or GROUP not in columns.roles
    expected = "say, refuse or ignore, as the rows have groups, which are dealt out instead"
    check(one, f"dataset {dataset.name}: near_duplicates", dataset.near_duplicates, expected)
