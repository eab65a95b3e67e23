"""A table in files is read as its YAML says, and whatever is not so is refused by one line that says where."""

import csv
import gzip
import io
import itertools
import json
import os
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from pipeline.config import check_all
from pipeline.data.formats import lines, rows
from pipeline.data.sources.table import SOURCE, TableDataset
from pipeline.errors import ConfigError, DataError

GOOD = b"x,kind,y\n1,a,10\n2.5,b,20\n-3,a,30\n"
TABLE = {"x": [1.0, 2.5, -3.0], "kind": ["a", "b", "a"], "y": [10.0, 20.0, 30.0]}
DATA = Path(os.environ.get("PIPELINE_DATA_MIRROR", "no mirror"))
mirrored = pytest.mark.skipif(not DATA.is_dir(), reason="PIPELINE_DATA_MIRROR names no folder of public data sets")


def dataset(**settings: Any) -> TableDataset:
    standard = {"path": "t.csv", "target": "y", "columns": {"x": "number", "kind": "category"}}
    config = TableDataset(**{"name": "tabled", "source": "table", "task": "regression", **standard, **settings})
    check_all(config)
    return config


def read(root: Path, content: bytes | None = None, **settings: Any) -> dict[str, list[Any]]:
    """All rows by column, after `content` has been written to the file t.csv."""
    config = dataset(**settings)
    if content is not None:
        (root / "t.csv").write_bytes(content)
    batches = list(SOURCE.batches(config, root))
    schema = pa.schema([(column.name, column.storage) for column in SOURCE.columns(config, root).all])
    found: dict[str, list[Any]] = pa.Table.from_batches(batches, schema).to_pydict()
    return found


def refusal(root: Path, content: bytes | None = None, **settings: Any) -> str:
    with pytest.raises(DataError) as caught:
        read(root, content, **settings)
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.fixture(params=[None, 16], ids=["one block", "blocks of 16 bytes"])
def blocks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param:
        monkeypatch.setattr(lines, "BLOCK", request.param)


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize(
    ("content", "settings"),
    [
        (GOOD, {}),
        (GOOD.rstrip(), {}),
        (GOOD.replace(b"\n", b"\r\n"), {}),
        (GOOD.replace(b"\n", b"\n\n"), {}),
        (b"\r\n\n" + GOOD, {}),
        (b"\xef\xbb\xbf" + GOOD, {}),
        (GOOD.decode().encode("utf-16"), {"encoding": "utf-16"}),
        (GOOD.decode().encode("utf-16-be"), {"encoding": "utf-16-be"}),
        (GOOD, {"encoding": "latin-1"}),
        (GOOD.replace(b",", b";"), {"separator": ";"}),
        (GOOD.replace(b",", b"\t"), {"format": "tsv"}),
        (GOOD.replace(b"a", b'"a"'), {}),
        (GOOD.replace(b",", b"','"), {"quote": "'", "separator": ",", "path": "quoted.csv"}),
        (b"unread,y,x,unread,kind\n,10,1,?,a\n,20,2.5,,b\n,30,-3,,a\n", {}),
    ],
)
@pytest.mark.parametrize("newlines", [False, True])
def test_the_same_rows_however_they_are_written(
    tmp_path: Path, content: bytes, settings: dict[str, Any], newlines: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if settings.get("path"):
        settings = {**settings, "path": "t.csv"}
        content = b"\n".join(b"'" + line + b"'" for line in content.splitlines())
    if newlines and lines.BLOCK < 128:  # a row must fit into a block of pyarrow
        monkeypatch.setattr(lines, "BLOCK", 128)
    assert read(tmp_path, content, newlines=newlines, **settings) == TABLE


def test_no_header(tmp_path: Path) -> None:
    columns = {"column_1": "number", "column_2": "category"}
    found = read(tmp_path, GOOD.split(b"\n", 1)[1], header=False, columns=columns, target="column_3")
    assert list(found.values()) == list(TABLE.values())


def test_a_first_row_with_long_cells(tmp_path: Path) -> None:
    """Python's csv refuses cells of more than 131,072 characters, unless it is told otherwise."""
    text = "A" * 200_000
    content = f"1.5,{text},1\n2.5,b,2\n".encode()
    columns = {"column_1": "number", "column_2": "text"}
    found = read(tmp_path, content, header=False, columns=columns, target="column_3")
    assert found["column_2"] == [text, "b"]


@pytest.mark.parametrize("header", [True, False])
def test_a_first_row_with_line_breaks_in_cells(tmp_path: Path, header: bool) -> None:
    columns = {"x": "number", "a\nkind": "text"} if header else {"column_1": "number", "column_2": "text"}
    first = b'x,"a\nkind",y\n' if header else b'7.5,"a\nb",3\n'
    content = first + b'1.5,"c\nd",1\n'
    found = read(tmp_path, content, newlines=True, header=header, columns=columns, target="y" if header else "column_3")
    assert list(found.values())[1] == (["c\nd"] if header else ["a\nb", "c\nd"])


def test_an_array_of_json_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('[{"x": 1}]')
    assert refusal(tmp_path, path="t.jsonl") == (
        "t.jsonl: no line is a row. Line 1: found '[{\"x\": 1}]', expected an object of JSON. "
        "pandas writes such lines with to_json(orient='records', lines=True)."
    )


def test_numbers_with_blanks_that_do_not_break(tmp_path: Path) -> None:
    content = "x,kind,y\n1\u202f234\u202f567,a,1\n1\u00a0000,b,2\n".encode()
    columns = {"x": {"type": "number", "thousands": " "}, "kind": "category"}
    assert read(tmp_path, content, columns=columns)["x"] == [1_234_567, 1000]


def test_an_error_does_not_name_thousands_of_columns(tmp_path: Path) -> None:
    names = ",".join(f"c{i}" for i in range(3000))
    text = refusal(tmp_path, f"{names}\n{names}\n".encode())
    assert text.startswith("t.csv: there is no column 'x' (c0, c1, ")
    assert ", c49, and 2950 more)." in text


@pytest.mark.parametrize(
    ("ending", "pack"), [(".gz", gzip.compress), (".zst", lambda raw: pa.compress(raw, "zstd", asbytes=True))]
)
@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl"])
def test_compressed_files(tmp_path: Path, kind: str, ending: str, pack: Any) -> None:
    records = [dict(zip(TABLE, row, strict=True)) for row in zip(*TABLE.values(), strict=True)]
    raw = {
        "csv": GOOD,
        "tsv": GOOD.replace(b",", b"\t"),
        "jsonl": "\n".join(map(json.dumps, records)).encode(),
    }[kind]
    name = f"t.{kind}{ending}"
    (tmp_path / name).write_bytes(pack(raw))
    assert read(tmp_path, path=name) == TABLE
    (tmp_path / name).write_bytes(pack(raw)[:-6])
    assert refusal(tmp_path, path=name).startswith(
        f"{name}: not a whole {'gzip' if ending == '.gz' else 'zstd'} file ("
    )
    (tmp_path / name).write_bytes(raw)
    assert "not a whole" in refusal(tmp_path, path=name)


def write_arrow(path: Path, table: pa.Table) -> None:
    if path.suffix == ".parquet":
        pq.write_table(table, path)
        return
    with (pa.ipc.new_file if path.suffix == ".feather" else pa.ipc.new_stream)(path, table.schema) as writer:
        writer.write_table(table, max_chunksize=2)


BINARY = ["t.parquet", "t.feather", "t.arrow"]


@pytest.mark.parametrize("name", BINARY)
def test_binary_files(tmp_path: Path, name: str) -> None:
    table = pa.table({"other": [1, 2, 3], **TABLE}).set_column(2, "kind", pa.array(TABLE["kind"]).dictionary_encode())
    write_arrow(tmp_path / name, table)
    assert read(tmp_path, path=name) == TABLE


@pytest.mark.parametrize("name", BINARY)
def test_binary_files_that_are_not_whole(tmp_path: Path, name: str) -> None:
    write_arrow(tmp_path / name, pa.table(TABLE))
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) - 40])
    what = "Parquet" if name == "t.parquet" else "Arrow"
    text = refusal(tmp_path, path=name)
    assert text.startswith(f"{name}: not a whole {what} file (")
    assert text.endswith("). It may be cut off or damaged; get it anew.")
    (tmp_path / name).write_bytes(b"")
    assert refusal(tmp_path, path=name) == f"{name}: empty, expected rows."


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize(("side", "most"), [(60, 1), (2, 10)], ids=["large files", "small files of large images"])
def test_images_in_a_table_are_in_memory_a_few_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, side: int, most: int
) -> None:
    monkeypatch.setattr(rows, "MOST_BYTES", 1000)
    file = io.BytesIO()
    Image.frombytes("L", (side, side), random.Random(0).randbytes(side * side)).save(file, "PNG")
    write_arrow(tmp_path / name, pa.table({"seen": [file.getvalue()] * 20, "y": range(20)}))
    seen = {"type": "image", "shape": [10, 10, 1], "pixels": "uint8", "resize": "fit"}
    batches = list(SOURCE.batches(dataset(path=name, columns={"seen": seen}), tmp_path))
    assert pa.Table.from_batches(batches)["y"].to_pylist() == list(range(20))
    assert max(batch.num_rows for batch in batches) <= most


def test_a_parquet_column_of_another_type(tmp_path: Path) -> None:
    pq.write_table(pa.table({**TABLE, "x": [[1.0]] * 3}), tmp_path / "t.parquet")
    text = refusal(tmp_path, path="t.parquet")
    assert text == "t.parquet: column 'x' holds list<element: double>, expected a finite number in each row."


def test_numbers_of_json_lines_lose_no_digit_and_types_may_change_late(tmp_path: Path) -> None:
    rows = [b'{"id": 9007199254740993, "x": 1, "y": 1}'] * 1000 + [
        b'{"id": "a", "x": "2.5", "y": 2, "more": [1]}',
        b'{"id": true, "y": 3}',
    ]
    (tmp_path / "t.jsonl").write_bytes(b"\n".join(rows))
    found = read(tmp_path, path="t.jsonl", columns={"id": "category", "x": "number"})
    assert found["id"][-3:] == ["9007199254740993", "a", "true"]
    assert found["x"][-3:] == [1.0, 2.5, None]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("[1]", "found '[1]', expected an object of JSON"),
        ('{"x": [1]}', "found a list in 'x', expected one value"),
        ('{"x": 1, "x": 2}', "found the key 'x' twice, expected it once"),
        ('{"kind": "\\ud800"}', "found half a character in 'kind', expected whole ones"),
        (
            '{"x": 1',
            "found '{\"x\": 1', expected an object of JSON (Expecting ',' delimiter: line 1 column 8 (char 7))",
        ),
    ],
)
def test_lines_of_json_that_are_no_row(tmp_path: Path, line: str, why: str, capsys: pytest.CaptureFixture[str]) -> None:
    good = '{"x": 1, "kind": "a", "y": 1}\n'
    (tmp_path / "t.jsonl").write_text(f"{good}\n{line}\n{good}")
    skip = "Set on_bad_row: skip to leave such rows out."
    assert refusal(tmp_path, path="t.jsonl") == f"t.jsonl: 1 row cannot be read (row 2: {why}). {skip}"
    assert read(tmp_path, path="t.jsonl", on_bad_row="skip", constant="accept") == {
        "x": [1.0] * 2,
        "kind": ["a"] * 2,
        "y": [1.0] * 2,
    }
    assert capsys.readouterr().out == "tabled: skipped 1 of 3 rows (not readable: 1)\n"


SKIP = " Set on_bad_row: skip to leave such rows out."
OPEN = (
    "a quote is left open, so that a cell goes on in the next line. Close it, or set quote: '' if quotes are part of "
    "the "
    "text, or newlines: true if a cell may hold line breaks."
)


@pytest.mark.parametrize(
    ("content", "settings", "text"),
    [
        (b"", {}, "t.csv: empty, expected rows."),
        (b"\n\r\n", {}, "t.csv: empty, expected rows."),
        (b"x,kind,y\n", {}, "t.csv: no rows, expected one or more."),
        (
            GOOD.replace(b",", b";"),
            {},
            "t.csv: found one column, 'x;kind;y', expected several with ',' between them. Set separator: \";\".",
        ),
        (
            GOOD.replace(b",", b"\t"),
            {},
            "t.csv: found one column, 'x\\tkind\\ty', expected several with ',' between them. Set separator: \"\\t\".",
        ),
        (
            GOOD.split(b"\n", 1)[1],
            {},
            "t.csv: there is no column 'x' (1, a, 10). If the first row is no header, set header: false and name the "
            "columns column_1, column_2 and so on.",
        ),
        (b"x,kin,y\n1,a,1\n", {}, "t.csv: there is no column 'kind' (x, kin, y). Did you mean 'kin'?"),
        (b"x,kind,x,y\n1,a,1,1\n", {}, "t.csv: 2 columns are named 'x', expected one. Rename the others."),
        (
            GOOD + GOOD,
            {},
            "t.csv: 1 row cannot be read (row 4: the header comes again)." + SKIP,
        ),
        (GOOD.decode().encode("utf-16"), {}, "t.csv: found UTF-16, expected utf-8. Set encoding: utf-16."),
        (GOOD.decode().encode("utf-16-le"), {}, "t.csv: found UTF-16, expected utf-8. Set encoding: utf-16-le."),
        (
            GOOD + "4,caf\xe9,40\n".encode("latin-1"),
            {},
            "t.csv: line 5 is not utf-8: found the byte 0xe9 in '4,caf\xe9,40', as latin-1 shows it. Set encoding, "
            "such as "
            "latin-1 or cp1252.",
        ),
        (
            GOOD + "4,\u0416,40\n".encode(),
            {"encoding": "ascii"},
            "t.csv: line 5 is not ascii (ordinal not in range(128)). Set encoding.",
        ),
        (GOOD + b'4,"b,40\n5,b,50\n', {}, f"t.csv: row 4: {OPEN}"),
        (GOOD + b'4,b,"40\n5,b,50\n6,b,60\n', {}, f"t.csv: row 4: {OPEN}"),
        (GOOD + b'4,b,40\n5,b,"50', {}, f"t.csv: row 5: {OPEN}"),
        (GOOD + b'4,"b\nc",40\n', {}, f"t.csv: row 4: {OPEN}"),
        (
            GOOD + b'4,"b\nc",40\n5,"b,50\n6,b,60\n',
            {"newlines": True},
            "t.csv: row 5: a quote is left open up to the end of the file. Close it, or set quote: '' if quotes are "
            "part of "
            "the text.",
        ),
        (
            GOOD + b"4,a\n\n5,a,50,60\n6,b,60\n",
            {},
            "t.csv: 2 rows cannot be read (row 4: found 2 fields, expected 3; row 5: found 4 fields, expected 3)."
            + SKIP,
        ),
        (
            GOOD + b"?,a,40\n5,NA,50\nsix,b,60\n7,b,\n",
            {},
            "t.csv: column 'x': 2 values are not a finite number (row 4: '?'; row 6: 'six'). Write missing: ['?'] if "
            "it "
            "stands for a missing value. column 'kind': 1 value is not a category (row 5: 'NA'). Write missing: "
            "['NA'] if it "
            "stands for a missing value, or name all values of the column. column 'y': 1 value is not a finite number "
            "(row "
            "7: ''). Write missing: [''] if it stands for a missing value." + SKIP,
        ),
        (
            GOOD + b"4,a,NA\n,a,NA\n",
            {"missing": ["NA", ""]},
            "t.csv: column 'y' is the target, and 2 rows have no value (row 4; row 5)." + SKIP,
        ),
        (
            b"x,kind,y\n" + b"?,a,1\n" * 12,
            {},
            "t.csv: column 'x': 12 values are not a finite number ("
            + "; ".join(f"row {i}: '?'" for i in range(1, 11))
            + "; ...). Write missing: ['?'] if it stands for a missing value."
            + SKIP,
        ),
        (b"PAR1\x15\x04" + GOOD, {}, "t.csv: found a Parquet file, expected text. Set format: parquet."),
        (gzip.compress(GOOD, mtime=0), {}, "t.csv: found a gzip file, expected text. Let its name end with .gz."),
    ],
)
def test_bad_input(tmp_path: Path, content: bytes, settings: dict[str, Any], text: str) -> None:
    assert refusal(tmp_path, content, **settings) == text


MESSY = GOOD + b'4,a\n\n?,a,40\n6,"b",60\nx,kind,y\n7,b,?\n8,b,80\n9,b,90,\n'


@pytest.mark.usefixtures("blocks")
def test_bad_rows_are_found_at_the_same_places_whatever_the_block_size(tmp_path: Path) -> None:
    assert refusal(tmp_path, MESSY) == (
        "t.csv: column 'x': 1 value is not a finite number (row 5: '?'). Write missing: ['?'] if it stands for a "
        "missing "
        "value. column 'y': 1 value is not a finite number (row 8: '?'). Write missing: ['?'] if it stands for a "
        "missing "
        "value. 3 rows cannot be read (row 4: found 2 fields, expected 3; row 7: the header comes again; row 10: "
        "found 4 "
        "fields, expected 3)." + SKIP
    )


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_a_text_of_another_encoding_is_found_at_the_same_line_whatever_the_block_size(
    tmp_path: Path, encoding: str
) -> None:
    text = refusal(tmp_path, b"\xef\xbb\xbf"[: 3 * (encoding == "utf-8")] + GOOD * 3 + b"1,\xe9,1\n", encoding=encoding)
    assert text.startswith(f"t.csv: line 13 is not {encoding}")


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize("place", range(1, 8))
def test_an_open_quote_is_found_at_the_same_row_whatever_the_block_size(tmp_path: Path, place: int) -> None:
    rows = [b"1,a,10\n"] * 7
    rows[place - 1] = b'1,"a,10\n'
    if lines.BLOCK < 100 and place % 2:
        rows.insert(0, b"\n")
    assert refusal(tmp_path, b"x,kind,y\n" + b"".join(rows)) == f"t.csv: row {place}: {OPEN}"


@pytest.mark.usefixtures("blocks")
def test_bad_rows_are_skipped_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = read(
        tmp_path,
        MESSY,
        on_bad_row="skip",
        missing=["?"],
        columns={"x": {"type": "number", "missing": []}, "kind": "category"},
    )
    assert found == {
        name: [*TABLE[name], *more] for name, more in {"x": [6, 8], "kind": ["b", "b"], "y": [60, 80]}.items()
    }
    line = "tabled: skipped 5 of 10 rows (refused in x: 1, no target: 1, not readable: 3)\n"
    assert capsys.readouterr().out == line


def test_images_in_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = {"path": "t.parquet", "columns": {"im": {"type": "image", "shape": [1, 2, 1], "pixels": "uint8"}}}
    table = pa.table({"im": [[1, 2], [1, 2], None], "y": [1.0, 2.0, 3.0]})
    pq.write_table(table.slice(0, 2), tmp_path / "t.parquet")
    assert read(tmp_path, **settings) == {"im": [[1, 2], [1, 2]], "y": [1.0, 2.0]}
    pq.write_table(table, tmp_path / "t.parquet")
    text = "t.parquet: column 'im' is the content, and 1 row has no value (row 3). "
    assert refusal(tmp_path, **settings).startswith(text)
    assert read(tmp_path, **settings, on_bad_row="skip")["y"] == [1.0, 2.0]
    assert capsys.readouterr().out == "tabled: skipped 1 of 3 rows (no content: 1)\n"


def test_no_row_is_left(tmp_path: Path) -> None:
    text = refusal(tmp_path, b"x,kind,y\n?,a,1\n", on_bad_row="skip")
    assert text == "t.csv: no rows: skipped 1 of 1 rows (refused in x: 1), expected one or more."


def test_rows_that_are_wrong_in_a_file_with_line_breaks_in_cells(tmp_path: Path) -> None:
    content = GOOD + b'4,"a\n\nb",40\n5,b\n6,b,x\n7,b,70,\n'
    assert refusal(tmp_path, content, newlines=True) == (
        "t.csv: column 'y': 1 value is not a finite number (row 6: 'x'). 2 rows cannot be read (row 5: found 2 fields, "
        "expected 3; row 7: found 4 fields, expected 3)." + SKIP
    )
    found = read(tmp_path, GOOD + b'4,"a\n\nb",40\n', newlines=True)
    assert found["kind"][-1] == "a\n\nb"


def test_many_rows_with_line_breaks_in_cells_and_wrong_rows_keep_their_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "BLOCK", 256)
    rows = [b'%d,"a\nb",1\n' % i if i % 3 else b"%d,a\n" % i if i % 2 else b"?,a,1\n" for i in range(1, 400)]
    found = refusal(tmp_path, b"x,kind,y\n" + b"".join(rows), newlines=True)
    for place in ("row 6: '?'", "row 60: '?'", "row 3: found 2", "row 57: found 2"):
        assert place in found
    assert "column 'x': 66 values" in found
    assert "67 rows cannot be read" in found


ALPHABET = ("a", "b", "\u00e9", "\u65e5", '"', "'", ",", ";", "\t", " ", "-")


@pytest.mark.parametrize("newlines", [False, True])
def test_what_the_csv_module_writes_reads_back(tmp_path: Path, newlines: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(0)
    signs = (*ALPHABET, "\n", "\r", "\r\n") if newlines else ALPHABET

    def cell() -> str:
        return "".join(rng.choice(signs) for _ in range(rng.randrange(6)))

    for size in (256 if newlines else 32, 2**20) * 8:
        monkeypatch.setattr(lines, "BLOCK", size)
        rows = [(cell(), cell()) for _ in range(rng.randrange(1, 40))]
        text = io.StringIO(newline="")
        csv.writer(text, quoting=rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])).writerows(
            [("a", "b", "y"), *((*row, 1) for row in rows)]
        )
        found = read(tmp_path, text.getvalue().encode(), newlines=newlines, columns={"a": "text", "b": "text"})
        assert list(zip(found["a"], found["b"], strict=True)) == rows


def test_whatever_is_wrong_with_a_file_is_an_error_for_its_user(tmp_path: Path) -> None:
    """Not one of pyarrow's or Python's, and the same whatever the size of blocks."""
    rng = random.Random(0)
    good = b"x,kind,y\n" + b"".join(b'%d,"k ""q"" %d",%d\n' % (i, i % 3, i) for i in range(9))
    for _ in range(30):
        raw = bytearray(good)
        for _ in range(rng.randrange(1, 4)):
            place = rng.randrange(len(raw))
            raw[place : place + rng.randrange(2)] = bytes([rng.choice(b'",\n\r;x9\x00\xe9\t')])
        answers = []
        for size in (32, 2**20):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(lines, "BLOCK", size)
                try:
                    answers.append(str(read(tmp_path, bytes(raw))))
                except DataError as error:
                    answers.append(str(error))
        assert answers[0] == answers[1]


@pytest.mark.parametrize("newlines", [False, True])
def test_carriage_returns_alone_end_lines(tmp_path: Path, newlines: bool) -> None:
    assert read(tmp_path, GOOD.replace(b"\n", b"\r"), newlines=newlines) == TABLE


@pytest.mark.parametrize("name", BINARY)
def test_texts_of_binary_files_that_are_not_utf_8(tmp_path: Path, name: str) -> None:
    write_arrow(tmp_path / name, pa.table({**TABLE, "kind": ["aaaa", "bbbb", "aaaa"]}))
    raw = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(raw.replace(b"bbbb", b"bb\xffb"))
    assert "Invalid UTF8" in refusal(tmp_path, path=name)


def test_quotes_as_text(tmp_path: Path) -> None:
    found = read(tmp_path, GOOD + b'4,"a,40\n5,b",50\n', quote="")
    assert found["kind"][-2:] == ['"a', 'b"']
    found = read(tmp_path, GOOD + b'4,"say ""a, b""",40\n5,6" x,50\n')
    assert found["kind"][-2:] == ['say "a, b"', '6" x']


def test_several_files(tmp_path: Path) -> None:
    folder = tmp_path / "raw" / "deep"
    folder.mkdir(parents=True)
    for name, content in (
        ("b.csv", b"y,kind,x\n2,b,2\n"),
        ("a.csv", b"x,kind,y\n1,a,1\n"),
        ("deep/c.csv", b"x,kind,y\n3,c,3\n"),
    ):
        (tmp_path / "raw" / name).write_bytes(content)
    for hidden in (".hidden.csv", "_SUCCESS", "a.csv.dvc", ".gitignore"):
        (tmp_path / "raw" / hidden).write_bytes(b"?")
    expected = {"raw": [1, 2, 3], "raw/*.csv": [1, 2], "raw/**/*.csv": [1, 2, 3], "raw/b.csv": [2]}
    for path, found in expected.items():
        assert read(tmp_path, path=path)["x"] == found
    assert read(tmp_path, path=["raw/deep", "raw/b.csv"])["x"] == [3, 2]
    assert SOURCE.files(dataset(path="raw"), tmp_path) == [
        tmp_path / "raw" / name for name in ("a.csv", "b.csv", "deep/c.csv")
    ]


def test_bad_rows_of_several_files_are_named_with_their_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"x,kind,y\n?,a,1\n")
    (tmp_path / "b.csv").write_bytes(b"x,kind,y\n1,a,1\n?,a\n?,a,1\n")
    assert refusal(tmp_path, path="*.csv") == (
        "dataset tabled: column 'x': 2 values are not a finite number (row 1 of a.csv: '?'; row 3 of b.csv: '?'). "
        "Write "
        "missing: ['?'] if it stands for a missing value. 1 row cannot be read (row 2 of b.csv: found 2 fields, "
        "expected 3)." + SKIP
    )


@pytest.mark.parametrize(
    ("files", "path", "text"),
    [
        ([], "t.csv", "t.csv: not found."),
        ([], "*.csv", "*.csv: no file is named like this, expected one or more."),
        ([".x.csv"], "", ": no files in this folder, expected one or more."),
        (["a.csv", "b.tsv"], "*", "b.tsv: found tsv, and a.csv is csv; expected one. Name fewer files in path."),
        (
            ["a.csv", "b.txt.gz"],
            "*",
            "b.txt.gz: no format is known by this ending, expected one of .csv, .tsv, .parquet, .pq, .jsonl, .ndjson, "
            ".arrow, "
            ".feather. Set format.",
        ),
        (["a.csv"], ["a.csv", "*.csv"], "a.csv: found in path twice, expected each file once."),
    ],
)
def test_files_that_are_no_table(tmp_path: Path, files: list[str], path: Any, text: str) -> None:
    for name in files:
        (tmp_path / name).write_bytes(GOOD)
    if path == "":
        path = "."
        text = "." + text
    assert refusal(tmp_path, path=path) == text


def test_files_whose_columns_differ(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"x,kind,y\n1,a,1\n")
    (tmp_path / "b.csv").write_bytes(b"x,kind,y,z\n1,a,1,1\n")
    assert refusal(tmp_path, path="*.csv") == (
        "b.csv: its columns are not those of a.csv: it has 'z'. Expected the same columns in all files."
    )


def test_roles_are_no_features_and_must_have_values(tmp_path: Path) -> None:
    settings = {
        "columns": {"x": "number", "g": {"type": "category", "missing": ["?"]}},
        "weight": "w",
        "group": "g",
        "time": "t",
        "split": "time",
    }
    content = b"x,y,w,g,t\n1,1,0.5,a,2020-01-01\n2,2,1,?,2020-01-02T03:04\n"
    assert refusal(tmp_path, content, **settings) == (
        "t.csv: column 'g' is the group, and 1 row has no value (row 2)." + SKIP
    )
    columns = SOURCE.columns(dataset(**settings), tmp_path)
    assert [column.name for column in columns.features] == ["x"]
    assert {role: column.config.type for role, column in columns.roles.items()} == {
        "weight": "number",
        "group": "category",
        "time": "datetime",
    }
    assert SOURCE.types(dataset(**settings)) == ["number"]


@pytest.mark.parametrize(
    ("task", "expected"), [("regression", "number"), ("binary", "category"), ("multiclass", "category")]
)
def test_the_type_of_a_target_follows_from_the_task(tmp_path: Path, task: str, expected: str) -> None:
    assert SOURCE.columns(dataset(task=task), tmp_path).target.config.type == expected


def test_each_column_knows_what_is_missing_in_it(tmp_path: Path) -> None:
    config = dataset(missing=["NA"], columns={"x": "number", "kind": {"type": "category", "missing": ["?", 9]}})
    found = SOURCE.columns(config, tmp_path)
    assert [column.config.missing for column in found.all] == [["NA"], ["?", "9"], ["NA"]]


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"path": []}, "dataset.path: found [], expected a file, a glob or a folder, or a list of these."),
        ({"columns": {"y": "number"}}, "dataset.columns: found ['y'], expected one feature or more beside the target."),
        ({"columns": {"x": 1}}, "dataset.columns.x: found 1, expected a type's name, or type and its options."),
        (
            {"columns": {"x": {"missing": []}}},
            "dataset.columns.x: found {'missing': []}, expected a type's name, or type and its options.",
        ),
        (
            {"columns": {"x": "nummer"}},
            "dataset.columns.x.type: 'nummer' is unknown (audio, boolean, category, date, datetime, image, number, "
            "sequence, series, text). Did you mean 'number'?",
        ),
        (
            {"columns": {"x": {"type": "number", "decimals": ","}}},
            "dataset.columns.x: 'decimals' is not an option of type number (type, missing, decimal, thousands, scale, "
            "clip). Did you mean 'decimal'?",
        ),
        (
            {"columns": {"x": {"type": "number", "clip": True}}},
            "dataset.columns.x.clip: found True, expected a number.",
        ),
        (
            {"columns": {"x": "number", "y": {"type": "number", "scale": "log"}}},
            "dataset.columns.y.scale: found 'log', expected none for the target, since it is for features.",
        ),
        (
            {"columns": {"x": {"type": "number", "decimal": ";"}}},
            "dataset.columns.x.decimal: found ';', expected '.' or ','.",
        ),
        (
            {"columns": {"x": {"type": "number", "missing": "NA"}}},
            "dataset.columns.x.missing: found 'NA', expected a list of texts.",
        ),
        (
            {"columns": {"x": {"type": "boolean", True: [True]}}},
            "dataset.columns.x.true: found [True], expected texts in quotes: YAML reads an unquoted yes, no, true, "
            "false, on "
            "or off as a truth value.",
        ),
        (
            {"columns": {"x": "number", "y": "category"}},
            "dataset.columns.y: found 'category', expected number for the target.",
        ),
        ({"weight": "y"}, "dataset.target: found 'y', expected a column without a role."),
        (
            {"columns": {"x": "number", "w": "text"}, "weight": "w"},
            "dataset.columns.w: found 'text', expected number for the weight.",
        ),
        ({"format": "xls"}, "dataset.format: 'xls' is unknown (auto, csv, tsv, parquet, jsonl, arrow, lines)."),
        ({"on_bad_row": "skp"}, "dataset.on_bad_row: 'skp' is unknown (refuse, skip). Did you mean 'skip'?"),
        ({"constant": "keep"}, "dataset.constant: 'keep' is unknown (refuse, accept)."),
        ({"separator": ";;"}, "dataset.separator: found ';;', expected one character that is not a line break."),
        ({"quote": ",", "separator": ","}, "dataset.quote: found ',', expected another character than separator."),
        (
            {"missing": [False]},
            "dataset.missing: found [False], expected a list of texts in quotes: YAML reads an unquoted yes, no, true, "
            "false, on or off as a truth value.",
        ),
        (
            {"encoding": "base64"},
            "dataset.encoding: found 'base64', expected an encoding such as utf-8, latin-1, cp1252 or utf-16.",
        ),
        (
            {"encoding": "utf8x"},
            "dataset.encoding: found 'utf8x', expected an encoding such as utf-8, latin-1, cp1252 or utf-16.",
        ),
    ],
)
def test_settings_that_make_no_sense(settings: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        dataset(**settings)
    assert str(caught.value) == text


def test_batches_come_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "BLOCK", 64)
    (tmp_path / "t.csv").write_bytes(b"x,kind,y\n" + b"1,a,1\n" * 1000)
    batches = SOURCE.batches(dataset(constant="accept"), tmp_path)
    first = list(itertools.islice(batches, 3))
    assert all(batch.num_rows < 20 for batch in first)
    assert sum(batch.num_rows for batch in (*first, *batches)) == 1000


@mirrored
def test_penguins() -> None:
    config = dataset(
        path="penguins/penguins.csv",
        task="multiclass",
        target="species",
        missing=["NA"],
        columns={"island": "category", "bill_length_mm": "number", "sex": "category"},
    )
    table = pa.Table.from_batches(SOURCE.batches(config, DATA))
    assert table.num_rows == 344
    assert [table[name].null_count for name in table.schema.names] == [0, 2, 11, 0]


@mirrored
def test_sms_spam() -> None:
    columns = {"column_2": "text"}
    settings = {"format": "tsv", "header": False, "columns": columns, "target": "column_1", "task": "binary"}
    config = dataset(path="sms_spam/SMSSpamCollection", quote="", **settings)
    assert sum(batch.num_rows for batch in SOURCE.batches(config, DATA)) == 5574
    quoted = dataset(path="sms_spam/SMSSpamCollection", **settings)
    with pytest.raises(DataError, match=r"^sms_spam/SMSSpamCollection: row 5082: a quote is left open"):
        list(SOURCE.batches(quoted, DATA))
    config = dataset(
        path="sms_spam/spam.csv", encoding="latin-1", newlines=True, columns={"v2": "text"}, target="v1", task="binary"
    )
    assert sum(batch.num_rows for batch in SOURCE.batches(config, DATA)) == 5572
