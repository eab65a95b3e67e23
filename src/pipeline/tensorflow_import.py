"""Import TensorFlow without what we do not use of it, and without a word."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Where these are installed, Keras imports them for wrappers, adapters and plots that we do not use. That takes 2 of the
# 5 seconds of the import.
NOT_NEEDED = ("sklearn", "pandas", "matplotlib", "jax", "torch")


def import_quietly() -> None:
    """Import TensorFlow without the lines that its libraries print before their log level is read."""
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as noise:
        os.dup2(noise.fileno(), 2)
        try:
            with hidden(NOT_NEEDED):
                import tensorflow  # noqa: F401
        except BaseException:
            noise.seek(0)
            os.write(terminal, noise.read())
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)


@contextmanager
def hidden(modules: tuple[str, ...]) -> Iterator[None]:
    """Let imports of these modules fail inside of the context, as if they were not installed.

    Afterwards, Keras' modules get stand-ins for them, because Keras remembers what was absent when it was imported.
    """
    absent = [name for name in modules if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
        returned = {name: OnceImported(name) for name in absent} | {"plt": OnUse()}
        for module in [module for key, module in sys.modules.items() if key.startswith("keras.")]:
            for name, value in returned.items():
                if vars(module).get(name, module) is None:
                    setattr(module, name, value)


class OnceImported:
    """A stand-in for a module that Keras took for absent, such as `pandas` in its data adapters.

    Once somebody has imported the module, its attributes are the module's. Until then each attribute is a new, empty
    class. Keras asks whether values are instances of such classes, and nobody can hold one before the module is
    imported.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        module = sys.modules.get(self._name)
        return type(attribute, (), {}) if module is None else getattr(module, attribute)


class OnUse:
    """A stand-in for `plt`, with which Keras draws. It imports Matplotlib when Keras first uses it."""

    def __getattr__(self, attribute: str) -> Any:
        import matplotlib.pyplot

        return getattr(matplotlib.pyplot, attribute)
