"""Where rows come from.

Adding a source: a file beside this with `load`, a line in SOURCES, a schema in config/data.py.
"""

from collections.abc import Callable
from typing import Any

from pipeline.data.sources import inline, sklearn
from pipeline.data.table import Table

SOURCES: dict[str, Callable[[Any], Table]] = {"sklearn": sklearn.load, "inline": inline.load}
