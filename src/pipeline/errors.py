"""Every error that a user is meant to see.

PipelineError              one line on stderr, exit code 2
├── ConfigError            conf/, params.yaml or a command-line override
├── DataError              input files, prepared splits
├── ArtifactError          a model, history, journal or prediction file
├── TrackingError          the MLflow store or server
│   └── RefusedError       one item that the store refuses, while it takes others
└── SeveralErrors          one line for each of several items; the others were dealt with
"""

import difflib
import os
from collections.abc import Iterable

# exit codes
BAD_INPUT, INTERRUPTED = 2, 130
MOST_NAMES = 50  # that one line tells


class PipelineError(Exception):
    """Something that the user can mend: the message says what was found, expected and to do."""


class ConfigError(PipelineError):
    """A configuration value that cannot be used."""


class DataError(PipelineError):
    """Input or prepared data that cannot be used."""


class ArtifactError(PipelineError):
    """A file that an earlier stage wrote and that cannot be used."""


class TrackingError(PipelineError):
    """The MLflow store cannot be used."""


class RefusedError(TrackingError):
    """One item cannot be delivered to the MLflow store, which is there and takes others."""


class SeveralErrors(PipelineError):
    """Some of several items failed, each with an error of its own; the other items are done."""

    def __init__(self, errors: list[PipelineError]) -> None:
        super().__init__("; ".join(str(error) for error in errors))
        self.errors = errors


def not_readable(name: object, error: OSError) -> DataError:
    """The error for a file or a folder of somebody's data that the system does not open or read."""
    if isinstance(error, FileNotFoundError):
        return DataError(f"{name}: not found.")
    reason = os.strerror(error.errno) if error.errno else " ".join(str(error).split())
    advice = " Give yourself the right to read it." if isinstance(error, PermissionError) else ""
    return DataError(f"{name}: cannot be read ({reason}).{advice}")


def did_you_mean(found: str, known: Iterable[str]) -> str:
    """Return `(a, b, c). Did you mean 'b'?`, the end of a message about an unknown name. Of very many names, the first
    are told, and how many more there are."""
    names = list(known)
    near = difflib.get_close_matches(found, names, n=1)
    more = len(names) - MOST_NAMES
    told = ", ".join(names[:MOST_NAMES]) + (f", and {more} more" if more > 0 else "")
    return f"({told})." + (f" Did you mean '{near[0]}'?" if near else "")
