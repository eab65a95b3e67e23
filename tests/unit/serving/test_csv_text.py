"""CSV text that is posted to a model: cells as they stand, or one line that says what is wrong."""

import re

import pytest

from pipeline.errors import DataError
from pipeline.serving.csv_text import read_csv_text


def test_each_cell_is_the_text_that_it_is() -> None:
    text = 'more,note,code\r\n1,"two\nlines, ""quoted""",007\r\n2,NA,\r\n'
    assert read_csv_text(text, ["code", "note"]) == {"code": ["007", ""], "note": ['two\nlines, "quoted"', "NA"]}
    assert read_csv_text("code,note\n", ["code", "note"]) == {"code": [], "note": []}
    assert read_csv_text("\ufeffcode\n\u00e9", ["code"]) == {"code": ["\u00e9"]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "input: empty, expected rows."),
        ("code\n1\n", "input: there is no column 'note'"),
        ("note,code,note\n1,2,3\n", "input: 2 columns are named 'note', expected one."),
        ("code,note\n1,2\n1,2,3\n", "input: 1 row cannot be read (row 2: found 3 fields, expected 2)."),
        ('code,note\n1,"2\n', "input: row 1: a quote is left open up to the end of the file."),
        ("code;note\n1;2\n", "input: found one column, 'code;note', expected several with ',' between them."),
    ],
)
def test_text_that_is_no_such_table(text: str, expected: str) -> None:
    with pytest.raises(DataError, match=re.escape(expected)):
        read_csv_text(text, ["code", "note"])
