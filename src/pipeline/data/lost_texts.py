"""Categories whose text a data frame does not keep: it takes 007 for a number, which is then 7."""

import pyarrow as pa
import pyarrow.compute as pc

# What pandas and JSON read as a number or a truth value, and how the type category writes one of these.
READ = r"^\s*([+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|(?i:true|false))\s*$"
WRITTEN = r"^(0|-?[1-9][0-9]*|true|false)$"


def loses_texts(texts: pa.StringArray) -> bool:
    """Whether one of the texts is read as a number or a truth value that is written otherwise."""
    lost = pc.and_not(pc.match_substring_regex(texts, READ), pc.match_substring_regex(texts, WRITTEN))
    return bool(pc.any(lost).as_py())
