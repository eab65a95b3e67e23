"""The formats in which a table may stand in files. To add one, write a file beside this one with a Format, and a
line in FORMATS."""

from pipeline.data.formats.arrow import ARROW, PARQUET
from pipeline.data.formats.csv import CSV
from pipeline.data.formats.json_lines import JSON_LINES
from pipeline.data.formats.rows import Format
from pipeline.data.formats.text_lines import LINES

FORMATS: dict[str, Format] = {
    "csv": CSV,
    "tsv": CSV,
    "parquet": PARQUET,
    "jsonl": JSON_LINES,
    "arrow": ARROW,
    "lines": LINES,
}
ENDINGS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".arrow": "arrow",
    ".feather": "arrow",
}
