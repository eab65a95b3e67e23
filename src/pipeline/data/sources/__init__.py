"""Where rows come from. Adding one: a file beside this with a `SOURCE`, a line in SOURCES, a YAML in conf/dataset/."""

from pipeline.data.sources import inline, sklearn
from pipeline.data.sources.source import Source

SOURCES: dict[str, Source] = {"sklearn": sklearn.SOURCE, "inline": inline.SOURCE}
