"""Where rows come from. To add a source, write a file beside this one with a `SOURCE` (the docstring of Source has an
example), a line in SOURCES, and a YAML file in conf/dataset/."""

from pipeline.data.sources import idx, inline, series, sklearn, table, ucr
from pipeline.data.sources.source import Source

SOURCES: dict[str, Source] = {
    "idx": idx.SOURCE,
    "inline": inline.SOURCE,
    "series": series.SOURCE,
    "sklearn": sklearn.SOURCE,
    "table": table.SOURCE,
    "ucr": ucr.SOURCE,
}
