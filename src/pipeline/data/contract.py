"""Whether the rows of a dataset are what its contract says.

The rules are pyarrow's own functions: pandera would need pandas and its import, of about a second, and takes 16 times
as long for the same columns.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.config import DatasetConfig
from pipeline.config.contract import ContractConfig
from pipeline.data.digest_file import DigestFile
from pipeline.data.reading import MOST_PLACES, value_of
from pipeline.data.schema import Column
from pipeline.data.sources.source import Columns
from pipeline.data.types.type import shown
from pipeline.errors import ConfigError, DataError, SeveralErrors, did_you_mean
from pipeline.tasks import TASKS


@dataclass(frozen=True)
class Rule:
    """`broken(values, limit)` says of each value (N,) whether it breaks the rule; `fits` says whether values of a
    storage can be asked that; `told` is what is wrong, in words, with `{}` for the limit."""

    fits: Callable[[pa.DataType], bool]
    broken: Callable[[pa.Array, Any], pa.BooleanArray]
    told: str


RULES = {
    "min": Rule(pa.types.is_floating, pc.less, "less than {}"),
    "max": Rule(pa.types.is_floating, pc.greater, "greater than {}"),
    "values": Rule(
        pa.types.is_string, lambda values, known: pc.invert(pc.is_in(values, pa.array(known))), "none of {}"
    ),
    "pattern": Rule(
        pa.types.is_string,
        lambda values, pattern: pc.invert(pc.match_substring_regex(values, pattern)),
        "not as the pattern {}",
    ),
    "max_length": Rule(
        pa.types.is_string, lambda values, most: pc.greater(pc.utf8_length(values), most), "longer than {} characters"
    ),
}
UNIQUE = "unique"


@dataclass
class Broken:
    """How many values break a rule, and the first of them with their rows."""

    count: int = 0
    places: list[str] = field(default_factory=list)


class Contract:
    """Looks at the rows of a dataset, a batch at a time. Rows are counted from 1, as the source gives them, without
    those that it leaves out."""

    def __init__(self, config: ContractConfig, dataset: DatasetConfig, columns: Columns, folder: Path) -> None:
        """`folder` is for files in between. Raises ConfigError for columns that are not there, and for rules that do
        not fit a column or the task."""
        self._config, self._dataset, self._target = config, dataset.name, columns.target.name
        least = config.rows.min_per_class
        if least and not TASKS[dataset.task].has_classes:
            where = f"dataset {dataset.name}: contract.rows.min_per_class"
            raise ConfigError(f"{where}: found {least}, expected nothing, as task {dataset.task} has no classes.")
        self._columns = {column.name: column for column in columns.all}
        self._asked = [(self._columns[name], rule, limit) for name, rule, limit in self._rules()]
        self._broken: dict[tuple[str, str], Broken] = {}
        self._digests = {
            name: DigestFile(folder / f"unique {i}")
            for i, (name, rule) in enumerate(config.columns.items())
            if rule.unique
        }
        self._missing: Counter[str] = Counter()
        # A class that the target declares counts although no row may have it.
        self._classes: Counter[Any] = Counter(dict.fromkeys(getattr(columns.target.config, "values", []), 0))
        self._num_rows = 0

    def _rules(self) -> list[tuple[str, str, Any]]:
        found = []
        for name, rules in self._config.columns.items():
            where = f"dataset {self._dataset}: contract.columns.{name}"
            if name not in self._columns:
                # A name of ours begins with a colon, such as that of the column that says which file a row is from.
                known = (column for column in self._columns if not column.startswith(":"))
                raise ConfigError(f"{where}: no feature, target or column with a role {did_you_mean(name, known)}")
            for rule, limit in vars(rules).items():
                if rule not in RULES or limit is None:
                    continue
                kind = self._columns[name]
                if not RULES[rule].fits(kind.storage):
                    raise ConfigError(f"{where}: {rule} is not for a column of type {kind.config.type}.")
                try:
                    RULES[rule].broken(pa.array(["0"]).cast(kind.storage), limit)
                except pa.ArrowInvalid as error:
                    raise ConfigError(f"{where}.{rule}: found {limit!r} ({error}).") from error
                found.append((name, rule, limit))
        return found

    def look_at(self, by_name: dict[str, pa.Array], start: int) -> None:
        """Take note of what breaks the contract in some rows, before which `start` rows were."""
        for column, rule, limit in self._asked:
            values = by_name[column.name]
            broken = pc.and_(RULES[rule].broken(values, limit), values.is_valid())
            bad = pc.fill_null(broken, False).to_numpy(zero_copy_only=False)
            self._note(column.name, rule, values, bad, start)
        for name in self._config.columns:
            self._missing[name] += by_name[name].null_count
        for name, file in self._digests.items():
            file.append(self._columns[name].type.digest(by_name[name].drop_null()))
        if self._config.rows.min_per_class:
            counted = pc.value_counts(by_name[self._target]).to_pylist()
            self._classes.update({entry["values"]: entry["counts"] for entry in counted})
        self._num_rows += len(by_name[self._target])

    def _note(self, name: str, rule: str, values: pa.Array, bad: NDArray[np.bool_], start: int) -> None:
        rows = np.flatnonzero(bad)
        if not len(rows):
            return
        broken = self._broken.setdefault((name, rule), Broken())
        broken.count += len(rows)
        for row in rows[: MOST_PLACES - len(broken.places)]:
            broken.places.append(f"row {start + row + 1}: {shown(value_of(values[int(row)]))}")

    def check(self, rows: Path) -> None:
        """Raise SeveralErrors, with an error for each rule that is broken. `rows` is the Arrow stream of all rows, in
        which values that are not unique are looked for."""
        for name, file in self._digests.items():
            if len(repeated := file.repeated()):
                self._find_repeated(self._columns[name], repeated, rows)
        errors = [
            f"column '{name}': {_told(rule, getattr(self._config.columns[name], rule), broken)}"
            for (name, rule), broken in self._broken.items()
        ]
        for name, rules in self._config.columns.items():
            count, most = self._missing[name], rules.max_missing
            if most is not None and count > most * self._num_rows:
                errors.append(f"column '{name}': {count} of {self._num_rows} values are missing, more than {most:.2%}.")
        least = self._config.rows
        if self._num_rows < least.min:
            errors.append(f"{self._num_rows} rows, expected {least.min} or more.")
        for label, count in sorted(self._classes.items(), key=lambda entry: str(entry[0])):
            if count < least.min_per_class:
                errors.append(f"class {shown(label)} has {count} rows, expected {least.min_per_class} or more.")
        if errors:
            where = f"dataset {self._dataset} breaks its contract"
            raise SeveralErrors([DataError(f"{where}: {error}") for error in errors])

    def _find_repeated(self, column: Column, repeated: NDArray[np.uint64], rows: Path) -> None:
        start = 0
        with pa.OSFile(str(rows)) as stream, pa.ipc.open_stream(stream) as reader:
            for batch in reader:
                values = batch[column.name]
                bad = np.isin(column.type.digest(values), repeated) & values.is_valid().to_numpy(zero_copy_only=False)
                self._note(column.name, UNIQUE, values, bad, start)
                start += batch.num_rows


def _told(rule: str, limit: Any, found: Broken) -> str:
    """What breaks a rule, in words."""
    if isinstance(limit, float):
        limit = repr(limit).removesuffix(".0")  # all digits, unlike the format g
    elif isinstance(limit, list):
        limit = ", ".join(limit)
    wrong = "not unique" if rule == UNIQUE else RULES[rule].told.format(limit)
    values = "1 value is" if found.count == 1 else f"{found.count} values are"
    more = "; ..." if found.count > len(found.places) else ""
    return f"{values} {wrong} ({'; '.join(found.places)}{more})."
