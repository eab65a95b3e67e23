"""Notices that the checkout has changed while a search runs."""

from contextlib import suppress

from pipeline.errors import ConfigError
from pipeline.layout import Layout


class State:
    """The checkout as it was when a worker began. It computes with the code that it has imported, while the identities
    of its trainings name the files that are there, so it must not go on once these have changed."""

    def __init__(self, layout: Layout) -> None:
        self._files = _stamps(layout)

    def check(self, layout: Layout) -> None:
        """Raise ConfigError where a file of the code, of conf/, params.yaml or requirements.lock has changed."""
        now = _stamps(layout)
        changed = sorted(path for path in {*self._files, *now} if self._files.get(path) != now.get(path))
        if changed:
            raise ConfigError(
                f"{changed[0]} has changed since this search began to run, so further trials would be of something "
                "else. Put it back and give the same command to go on, or begin another search."
            )


def _stamps(layout: Layout) -> dict[str, tuple[int, int]]:
    """Size and time of each file, which is quick to ask and good enough within one command."""
    found = {}
    files = [layout.params, layout.root / "requirements.lock"]
    for path in [*files, *layout.conf.rglob("*.yaml"), *(layout.root / "src" / "pipeline").rglob("*.py")]:
        with suppress(FileNotFoundError):
            about = path.stat()
            found[str(path.relative_to(layout.root))] = (about.st_size, about.st_mtime_ns)
    return found
