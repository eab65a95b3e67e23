"""How a dataset whose rows are files is described."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from omegaconf import MISSING

from pipeline.config import DatasetConfig, TextConfig
from pipeline.config.checks import check, one_of
from pipeline.config.data import ROLE_TYPES, ROLES
from pipeline.data.declared import column_config
from pipeline.data.schema import Column
from pipeline.data.sources.source import PATHS, Columns
from pipeline.data.types import TYPES
from pipeline.data.types.category import CategoryColumn
from pipeline.errors import ConfigError
from pipeline.tasks import TASKS

FOLDER, PATTERN, MANIFEST = WAYS = ("folder", "pattern", "manifest")
FILE = "file"  # the column of a manifest that holds the paths
REFUSE, SKIP = ON_BAD_ROW = ("refuse", "skip")


@dataclass
class FilesDataset(DatasetConfig, TextConfig):
    """`path` is a folder, relative to the top folder of the checkout, or an archive, or a folder in one. `content` is
    what its files hold: the name of a type, or its `type` and options. The column that they become is called as the
    type is.

    `labels` is where the label comes from. With `folder`, the first folder on a file's path is its class. With
    `pattern`, it is what the group of that name matches; `pattern` is a regular expression for the whole path in the
    folder, and each of its named groups is a column, also beside `labels: folder`. With `manifest`, the columns are
    those of the table `manifest`, whose column `file` holds the paths in the folder; TextConfig says how it is written.

    `target` is the column that holds the label, and columns with a role are named as in a table. `columns` holds the
    type of each of them that has not the usual one, or its `type` and options. `classes` are the classes in their
    order; if there are none, all labels are classes, sorted.

    With `split: given`, `test_path` and `validation_path` are the folders of an official split, or `test_pattern` is a
    regular expression for the paths of the files for testing.

    With `lines`, each line of a file of texts is a row, and what is known of the file holds for all of them. `encoding`
    is then that of the files, too.

    `on_bad_row` says whether files and lines that cannot be used are refused, or left out and counted.
    """

    path: str = MISSING
    test_path: str | None = None
    validation_path: str | None = None
    test_pattern: str | None = None
    content: Any = MISSING
    lines: bool = False
    labels: str = FOLDER
    pattern: str | None = None
    manifest: str | None = None
    target: str = "label"
    columns: dict[str, Any] = field(default_factory=dict)
    classes: list[str] = field(default_factory=list)
    on_bad_row: str = REFUSE

    def check(self) -> None:
        super().check()
        one_of("dataset.labels", self.labels, WAYS)
        one_of("dataset.on_bad_row", self.on_bad_row, ON_BAD_ROW)
        self.check_text("dataset.")
        of_text = not self.lines or content_of(self).config.type == "text"
        check(of_text, "dataset.lines", self.lines, "false, since content is no text")
        self._check_paths()
        check((self.manifest is not None) == (self.labels == MANIFEST), "dataset.manifest", self.manifest, _MANIFEST)
        groups = self._groups()
        named = {"target": self.target} if self.labels != FOLDER else {}
        named |= {role: getattr(self, role) for role in ROLES if getattr(self, role) is not None}
        for role, name in named.items():
            there = self.labels == MANIFEST or name in groups
            check(there, f"dataset.{role}", name, f"a named group of dataset.pattern ({', '.join(groups) or 'none'})")
        for name in self.columns:
            expected = "the target or a column with a role"
            check(name in {self.target, *named.values()}, f"dataset.columns.{name}", name, expected)
        self._check_names(columns_of(self))
        self._check_classes()

    def _check_names(self, columns: Columns) -> None:
        """Raise ConfigError for two columns of one name."""
        taken = {content_of(self).name: "the content"} | ({FILE: "the paths"} if self.labels == MANIFEST else {})
        for role, column in ({"target": columns.target} | columns.roles).items():
            expected = f"another column than that of {taken.get(column.name)}"
            check(column.name not in taken, f"dataset.{role}", column.name, expected)
            taken[column.name] = f"the {role}"

    def _check_classes(self) -> None:
        fits = not self.classes or TASKS[self.task].has_classes
        check(fits, "dataset.classes", self.classes, f"none with task: {self.task}")
        twice = [name for name in self.classes if self.classes.count(name) > 1]
        check(not twice, "dataset.classes", twice[:1], "each class once")

    def _check_paths(self) -> None:
        given = not self.has_test_files or self.split == "given"
        check(given, "dataset.test_path", self.test_path or self.test_pattern, "nothing unless split: given")
        once = self.test_path is None or self.test_pattern is None
        check(once, "dataset.test_pattern", self.test_pattern, "nothing with test_path")
        alone = self.validation_path is None or self.test_path is not None
        check(alone, "dataset.validation_path", self.validation_path, "nothing without test_path")
        single = self.test_path is None or self.labels != MANIFEST
        check(single, "dataset.test_path", self.test_path, "a column with the role fold in the manifest instead")

    def _groups(self) -> list[str]:
        """The named groups of the pattern."""
        for key in ("pattern", "test_pattern"):
            try:
                re.compile(getattr(self, key) or "")
            except re.error as error:
                raise ConfigError(
                    f"dataset.{key}: found {getattr(self, key)!r}, no regular expression ({error})."
                ) from error
        wanted = self.pattern is not None if self.labels == PATTERN else self.labels == FOLDER or self.pattern is None
        check(
            wanted, "dataset.pattern", self.pattern, "a regular expression with labels: pattern, none with a manifest"
        )
        return list(re.compile(self.pattern or "").groupindex)

    @property
    def has_test_files(self) -> bool:
        return self.test_path is not None or self.test_pattern is not None

    @property
    def paths(self) -> dict[str, str]:
        """The folder that each key of PATHS names, for those that are set."""
        return {key: getattr(self, key) for key in PATHS if getattr(self, key) is not None}


_MANIFEST = "the path of a table with labels: manifest, else nothing"


def content_of(config: FilesDataset) -> Column:
    """The column of the files' content. Raises ConfigError."""
    made = column_config("dataset.content", config.content)
    known = tuple(name for name, found in TYPES.items() if found.files)
    one_of("dataset.content.type", made.type, known)
    files = TYPES[made.type].files
    given = config.content if isinstance(config.content, Mapping) else {}
    markers = made.missing or []
    check(not markers or not TYPES[made.type].is_content, "dataset.content.missing", markers, f"none for {made.type}")
    usual = {name: value for name, value in files.options.items() if name not in given} if files else {}
    return Column(made.type, replace(made, **usual))


def columns_of(config: FilesDataset) -> Columns:
    """The content, the label, and the columns that have a role. Raises ConfigError."""

    def column(name: str, usual: str, allowed: tuple[str, ...]) -> Column:
        made = column_config(f"dataset.columns.{name}", config.columns.get(name, usual))
        one_of(f"dataset.columns.{name}.type", made.type, allowed)
        return Column(name, made)

    roles = {role: getattr(config, role) for role in ROLES if getattr(config, role) is not None}
    kind = "category" if TASKS[config.task].has_classes else "number"
    target = column(config.target, kind, (kind,))
    if config.classes and isinstance(target.config, CategoryColumn):
        target = replace(target, config=replace(target.config, values=list(config.classes)))
    with_role = {role: column(name, ROLE_TYPES[role][0], ROLE_TYPES[role]) for role, name in roles.items()}
    return Columns([content_of(config)], target, with_role)
