"""Whether the rows of a dataset are what its contract says.

The rules are pyarrow's own functions: pandera would need pandas and its import, of about a second, and takes 16 times
as long for the same columns.
"""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.config import DatasetConfig
from pipeline.config.contract import ContractConfig
from pipeline.data.breaches import RULES, Breach, breaks, is_among, is_missing, words_of
from pipeline.data.digest_file import DigestFile
from pipeline.data.origins import OF_FILE
from pipeline.data.sources.source import Columns
from pipeline.data.types.type import shown
from pipeline.errors import ConfigError, DataError, SeveralErrors, did_you_mean
from pipeline.tasks import TASKS


class Contract:
    """Looks at the rows of a dataset, a batch at a time, and again at all of them where some break it."""

    def __init__(self, config: ContractConfig, dataset: DatasetConfig, columns: Columns, folder: Path) -> None:
        """`folder` is for files in between. Raises ConfigError for columns that are not there, and for rules that do
        not fit a column or the task."""
        self._config, self._dataset, self._target = config, dataset.name, columns.target.name
        least = config.rows.min_per_class
        if least and not TASKS[dataset.task].has_classes:
            where = f"dataset {dataset.name}: contract.rows.min_per_class"
            raise ConfigError(f"{where}: found {least}, expected nothing, as task {dataset.task} has no classes.")
        self._columns = {column.name: column for column in columns.all}
        self._rules = {(name, rule): limit for name, rule, limit in self._asked()}
        self._broken: set[tuple[str, str]] = set()
        self._digests = {
            name: DigestFile(folder / f"unique {i}")
            for i, (name, rule) in enumerate(config.columns.items())
            if rule.unique
        }
        self._missing: Counter[str] = Counter()
        # A class that the target declares counts although no row may have it.
        self._classes: Counter[Any] = Counter(dict.fromkeys(getattr(columns.target.config, "values", []), 0))
        self._num_rows = 0

    def _asked(self) -> list[tuple[str, str, Any]]:
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
                    breaks(rule, limit, pa.array(["0"]).cast(kind.storage))
                except pa.ArrowInvalid as error:
                    raise ConfigError(f"{where}.{rule}: found {limit!r} ({error}).") from error
                found.append((name, rule, limit))
        return found

    def look_at(self, by_name: dict[str, pa.Array]) -> None:
        """Take note of what breaks the contract in some rows."""
        for (name, rule), limit in self._rules.items():
            if (name, rule) not in self._broken and breaks(rule, limit, by_name[name]).any():
                self._broken.add((name, rule))
        for name in self._config.columns:
            self._missing[name] += by_name[name].null_count
        for name, file in self._digests.items():
            file.append(self._columns[name].type.digest(by_name[name].drop_null()))
        if self._config.rows.min_per_class:
            counted = pc.value_counts(by_name[self._target]).to_pylist()
            self._classes.update({entry["values"]: entry["counts"] for entry in counted})
        self._num_rows += len(by_name[self._target])

    def check(self, rows: Path) -> None:
        """Raise SeveralErrors, with an error for each rule that is broken. `rows` is the Arrow stream of all rows, with
        where they are from, in which the values are that break a rule."""
        breaches = [breach for name in self._config.columns for breach in self._breaches(name)]
        files = set[str | None]()
        if breaches:
            with pa.OSFile(str(rows)) as stream, pa.ipc.open_stream(stream) as reader:
                for batch in reader:
                    files |= set(pc.unique(batch[OF_FILE]).to_pylist() if len(files) < 2 else ())
                    for breach in breaches:
                        breach.look_at(batch)
        errors = [breach.words(len(files) > 1) for breach in breaches]
        least = self._config.rows
        if self._num_rows < least.min:
            errors.append(f"{self._num_rows} rows, expected {least.min} or more.")
        for label, count in sorted(self._classes.items(), key=lambda entry: str(entry[0])):
            if count < least.min_per_class:
                errors.append(f"class {shown(label)} has {count} rows, expected {least.min_per_class} or more.")
        if errors:
            where = f"dataset {self._dataset} breaks its contract"
            raise SeveralErrors([DataError(f"{where}: {error}") for error in errors])

    def _breaches(self, name: str) -> Iterator[Breach]:
        """The rules of a column that are broken."""
        for (column, rule), limit in self._rules.items():
            if column == name and (name, rule) in self._broken:
                told, expected = words_of(rule, limit)
                yield Breach(name, partial(breaks, rule, limit), told, expected)
        if name in self._digests and len(repeated := self._digests[name].repeated()):
            digest = self._columns[name].type.digest
            yield Breach(name, partial(is_among, digest, repeated), "not unique", "a value that no other row has")
        most = self._config.columns[name].max_missing
        if most is not None and self._missing[name] > most * self._num_rows:
            told, expected = f"missing, more than {most:.2%}", f"a value, but for {most:.2%} of the rows"
            yield Breach(name, is_missing, told, expected, of=self._num_rows)
