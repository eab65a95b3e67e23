"""Notices that the checkout has changed while a search runs."""

import os
from collections.abc import Iterator
from contextlib import suppress

from pipeline.errors import ConfigError
from pipeline.layout import Layout
from pipeline.search.plan import Plan
from pipeline.sweeping.bases import check_checkout


class State:
    """The checkout as it was when a worker began. It computes with the code that it has imported, while the identities
    of its trainings name the files that are there, so it must not go on once these say something else."""

    def __init__(self, layout: Layout, plan: Plan) -> None:
        self._layout, self._plan, self._files = layout, plan, _stamps(layout)

    def check(self) -> None:
        """Raise ConfigError where files have changed so that trials would be of something else than the search is.
        A new experiment of somebody else changes nothing."""
        now = _stamps(self._layout)
        changed = sorted(path for path in {*self._files, *now} if self._files.get(path) != now.get(path))
        if not changed:
            return
        try:
            check_checkout(self._plan, self._layout)
        except ConfigError as error:
            name = os.path.relpath(changed[0], self._layout.root)
            raise ConfigError(f"{name} has changed while the search runs. {error}") from error
        self._files = now


def _stamps(layout: Layout) -> dict[str, tuple[int, int]]:
    """Size and time of each file, which is quick to ask and good enough within one command."""
    found = {}
    for path in _files(layout):
        with suppress(FileNotFoundError):
            about = os.stat(path)
            found[path] = (about.st_size, about.st_mtime_ns)
    return found


def _files(layout: Layout) -> Iterator[str]:
    """Those that a trial may depend on. Each trial asks for them, and the methods of Path take some milliseconds."""
    yield from (str(layout.params), str(layout.root / "requirements.lock"))
    for top, ending in ((layout.conf, ".yaml"), (layout.root / "src" / "pipeline", ".py")):
        for folder, _, names in os.walk(top):
            yield from (f"{folder}/{name}" for name in names if name.endswith(ending))
