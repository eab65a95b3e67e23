"""Where rows come from. To add a source, write a file beside this one with a `SOURCE` (the docstring of Source has an
example), a line in SOURCES, and a YAML file in conf/dataset/."""

from pipeline.data.sources import fasta, idx, inline, sklearn, splice_synthetic, table
from pipeline.data.sources.source import Source

SOURCES: dict[str, Source] = {
    "fasta": fasta.SOURCE,
    "idx": idx.SOURCE,
    "inline": inline.SOURCE,
    "sklearn": sklearn.SOURCE,
    "splice_synthetic": splice_synthetic.SOURCE,
    "table": table.SOURCE,
}
