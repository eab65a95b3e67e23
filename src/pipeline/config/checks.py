"""How a schema object refuses a value: the error says where it is, what was found, and what was expected."""

import re
from fnmatch import fnmatch
from glob import has_magic
from pathlib import Path

from pipeline.errors import ConfigError, did_you_mean


def check(condition: bool, where: str, found: object, expected: str) -> None:
    """Raise ConfigError unless `condition` holds for the value `found`."""
    if not condition:
        raise ConfigError(f"{where}: found {found!r}, expected {expected}.")


def one_of(where: str, found: str, known: tuple[str, ...]) -> None:
    if found not in known:
        raise ConfigError(f"{where}: '{found}' is unknown {did_you_mean(found, known)}")


def check_name(where: str, name: str) -> None:
    """Raise ConfigError unless `name` can be a file's name, one word for a shell and for Hydra, and a name in DVC and
    MLflow."""
    good = len(name) <= 200 and re.fullmatch(r"\w[\w.\-]*(/\w[\w.\-]*)*", name)
    check(
        bool(good), where, name, "letters, digits and _ . - (and / for folders), 200 at most, a letter or digit first"
    )


def check_rate(name: str, rate: float) -> None:
    check(0 <= rate < 1, name, rate, "a rate of at least 0 and less than 1")


def check_output(output: str, read: str) -> None:
    """Raise ConfigError unless a file can be written at `output` that is not `read`, a part of the folder `read`, or
    one of the files of the glob `read`."""
    path, source = Path(output).resolve(), Path(read).resolve()
    among = path.is_relative_to(source) or (has_magic(read) and fnmatch(str(path), str(source)))
    check(not among, "output", output, f"another file than {read}, and none in it")
    check(not path.is_dir(), "output", output, "the name of a file, and this is a folder")
    lowest = next(above for above in path.parents if above.exists())
    check(lowest.is_dir(), "output", output, f"a file in a folder, and {lowest.name} is a file")
