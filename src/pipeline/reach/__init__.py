"""Find the source files of a package that a command can reach by imports, from their text, without running any of them.

An import counts wherever it stands, also inside a function. Imports under `if TYPE_CHECKING:` do not count, because
they never run. The import of a.b.c also runs a/__init__.py and a/b/__init__.py, so these are reached as well.

A registry is a dict literal of a module with a name in capitals: `FAMILIES = {"cnn": cnn.FAMILY, ...}`. Its module
imports every member, but one training uses few of them. The entries that are not chosen, and what is imported only for
them, count as if they were not there. This is sound because in this package nothing happens at import, and what a
registry holds is looked up by its keys.
"""

import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from pipeline.reach.module import Module, packages_around, read_module, registries


def reach(
    package: Path, start: str, chosen: Mapping[str, frozenset[str]], left_out: Collection[str] = ()
) -> dict[str, str]:
    """The files that the module `start` of `package` reaches, by their paths in the package. Each has a digest of its
    code, which comments and empty lines do not change.

    `chosen` says by a registry's name which of its keys are used; a registry that it does not name counts as a whole.
    The modules in `left_out`, and all modules in packages named there, are neither counted nor followed.
    """
    found: dict[str, str] = {}
    files = files_below(package)
    waiting, seen = [f"{package.name}.{start}"], set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        path = source_file(package, name, files)
        if path is None or is_in(name.partition(".")[2], left_out):
            continue
        module = read_file(path, name, chosen)
        if module.digest:
            found[path.relative_to(package).as_posix()] = module.digest
        waiting += [*packages_around(name), *module.imports]
    return dict(sorted(found.items()))


def code_of_files(package: Path, paths: Iterable[Path]) -> dict[str, str]:
    """As `reach`, of these files alone."""
    found = {}
    for path in paths:
        name = ".".join([package.name, *path.relative_to(package).with_suffix("").parts])
        found[path.relative_to(package).as_posix()] = read_file(path, name, {}).digest
    return found


def read_file(path: Path, name: str, chosen: Mapping[str, frozenset[str]]) -> Module:
    """Read the module `name` from the file `path`, with only those entries of its registries that are used."""
    text = path.read_text(encoding="utf-8")
    inside = name if path.name == "__init__.py" else name.rpartition(".")[0]
    try:
        keys = {registry: chosen[registry] for registry in registries(text) if registry in chosen}
        return read_module(text, inside, tuple(sorted(keys.items())))
    except SyntaxError as error:
        error.filename = str(path)  # so that the traceback says in which file the error is
        raise


def files_below(package: Path) -> frozenset[str]:
    """The paths of all files of a package. Most names that an import may run are none of a module, and to ask the disk
    for each took most of the time, which every job of a sweep spends."""
    walked = os.walk(package, followlinks=True)
    return frozenset(f"{folder}/{name}" for folder, _, names in walked for name in names)


def source_file(package: Path, name: str, files: Collection[str]) -> Path | None:
    """The file of a module, or None for a name that is no module of this package, which has these files."""
    top, *parts = name.split(".")
    place = "/".join([str(package), *parts])
    paths = (f"{place}/__init__.py", f"{place}.py")
    return next((Path(path) for path in paths if path in files), None) if top == package.name else None


def is_in(name: str, places: Collection[str]) -> bool:
    """Whether a module is one of `places`, or stands in a package that is one of them."""
    return any(name == place or name.startswith(f"{place}.") for place in places)
