"""Where rows come from. To add a source, write a file beside this one with a `SOURCE` (the docstring of Source has an
example), a line in SOURCES, and a YAML file in conf/dataset/."""

from pipeline.data.sources import (
    fasta,
    files,
    idx,
    inline,
    reviews,
    series,
    sklearn,
    splice_sites,
    spoken_digits,
    table,
    ucr,
)
from pipeline.data.sources.source import Source

SOURCES: dict[str, Source] = {
    "fasta": fasta.SOURCE,
    "files": files.SOURCE,
    "idx": idx.SOURCE,
    "inline": inline.SOURCE,
    "reviews": reviews.SOURCE,
    "series": series.SOURCE,
    "sklearn": sklearn.SOURCE,
    "splice_sites": splice_sites.SOURCE,
    "spoken_digits": spoken_digits.SOURCE,
    "table": table.SOURCE,
    "ucr": ucr.SOURCE,
}
