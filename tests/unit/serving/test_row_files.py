"""`predict` reads rows however training may read them, refuses what training refuses, and answers in CSV or Parquet."""

import gzip
import json
import re
import zipfile
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.arguments import from_arguments
from pipeline.config import DriftConfig, PredictConfig
from pipeline.data.formats import lines
from pipeline.data.schema import Column, Schema
from pipeline.data.types.category import CategoryColumn
from pipeline.data.types.number import NumberColumn
from pipeline.data.types.sequence import SequenceColumn
from pipeline.data.types.text import TextColumn
from pipeline.errors import ConfigError, DataError
from pipeline.serving.batch import ids_of, write_predictions
from pipeline.serving.content_files import read_content_files, takes_files
from pipeline.serving.inputs import read_any, read_input
from pipeline.serving.row_files import read_file

COLUMNS = [
    Column("x", NumberColumn("number", missing=["NA"]), nullable=True),
    Column("kind", CategoryColumn("category"), categories=["\u00e4", "b"]),
]
SCHEMA = Schema("d", "regression", "hash", COLUMNS, "y", [])
ROWS = {"x": [1.0, None, -3.5], "kind": ["\u00e4", "b", "c"]}
CSV = "kind,x,unread\n\u00e4,1,?\nb,NA,\nc,-3.5,1\n"
JSON = "\n".join(json.dumps({"kind": k, "x": x}) for x, k in zip(*ROWS.values(), strict=True))


def config(path: Path, *arguments: str) -> PredictConfig:
    return from_arguments(PredictConfig, ["model=m", f"input={path}", "output=out.csv", *arguments])


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(schema: Schema, config: PredictConfig) -> tuple[list[str], pa.Table]:
    """The ids and all rows of a file."""
    ids, tables = zip(*read_file(schema, config), strict=True)
    return [*chain(*ids)], pa.concat_tables(tables)


@pytest.mark.parametrize(
    ("name", "content", "arguments"),
    [
        ("t.csv", CSV, []),
        ("t.csv.gz", gzip.compress(CSV.encode(), mtime=0), []),
        ("t.csv", CSV.replace(",", ";").encode("latin-1"), ["separator=;", "encoding=latin-1"]),
        ("t.tsv.zst", pa.compress(CSV.replace(",", "\t").encode(), "zstd", asbytes=True), []),
        ("t.txt", CSV.replace(",", "\t").encode("utf-16"), ["format=tsv", "encoding=utf-16"]),
        ("t.csv", CSV.replace("\u00e4", "'\u00e4'"), ["quote='"]),
        ("t.ndjson", JSON, []),
    ],
)
def test_the_same_rows_however_they_are_written(
    tmp_path: Path, name: str, content: str | bytes, arguments: list[str]
) -> None:
    ids, table = read(SCHEMA, config(written(tmp_path / name, content), *arguments))
    assert ids == ["0", "1", "2"]
    assert table.to_pydict() == ROWS


@pytest.mark.parametrize("name", ["t.parquet", "t.pq", "t.arrow", "t.feather"])
def test_binary_files_and_ids(tmp_path: Path, name: str) -> None:
    table = pa.table({**ROWS, "row": ["p", "q", "r"]})
    if name in ("t.parquet", "t.pq"):
        pq.write_table(table, tmp_path / name)
    else:
        with pa.ipc.new_file(tmp_path / name, table.schema) as writer:
            writer.write_table(table)
    ids, found = read(SCHEMA, config(tmp_path / name))
    assert (ids, found.to_pydict()) == (["p", "q", "r"], ROWS)


def test_no_header_and_quotes_that_are_text(tmp_path: Path) -> None:
    columns = [Column(f"column_{i + 1}", column.config, True) for i, column in enumerate(COLUMNS)]
    schema = Schema("d", "regression", "hash", columns, "column_3", [])
    path = written(tmp_path / "t.csv", '1,"a\n')
    assert read(schema, config(path, "header=false", "quote="))[1].to_pydict() == {
        "column_1": [1.0],
        "column_2": ['"a'],
    }


def test_a_file_behind_a_url(tmp_path: Path) -> None:
    url = written(tmp_path / "t.csv", CSV).as_uri()
    arguments = ["model=m", "output=out.csv", f"input={url}"]
    assert read(SCHEMA, from_arguments(PredictConfig, arguments))[1].to_pydict() == ROWS
    written(tmp_path / "u.csv", CSV)
    for name, text in ((tmp_path.as_uri(), "2 files"), (str(tmp_path / "none.csv"), "not found")):
        with pytest.raises(DataError, match=rf"^{name}: {text}, expected a file with rows\.$"):
            read(SCHEMA, from_arguments(PredictConfig, [*arguments, f"input={name}"]))


def test_a_header_alone(tmp_path: Path) -> None:
    ids, table = read(SCHEMA, config(written(tmp_path / "t.csv", "x,kind\n")))
    assert (ids, table.num_rows, table.column_names) == ([], 0, ["x", "kind"])


def test_all_bad_rows_are_named(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", "x,kind\n?,b\n1,b,2\n\n2,?\n1\n")
    with pytest.raises(DataError) as caught:
        read(SCHEMA, config(path))
    assert str(caught.value) == (
        f"{path}: column 'x': 1 value is not a finite number (row 1: '?'). Give null, or write 'NA', for a missing "
        "value. column 'kind': 1 value is not a category (row 3: '?'). No value is missing in the training rows, so "
        "the model takes none that is. 2 rows cannot be read (row 2: found 3 fields, expected 2; row 4: found 1 field, "
        "expected 2). Set on_bad_row=skip to leave such rows out."
    )


@pytest.mark.parametrize(
    ("content", "arguments", "text"),
    [
        (CSV.replace(",", ";"), [], "found one column, 'kind;x;unread', expected several with ',' between them."),
        (CSV.encode("latin-1"), [], "line 2 is not utf-8: found the byte 0xe4 in "),
        ("", [], "empty, expected rows."),
        ("x,y\n1,2\n", [], "there is no column 'kind' (x, y)."),
    ],
)
def test_files_that_are_refused(tmp_path: Path, content: str | bytes, arguments: list[str], text: str) -> None:
    path = written(tmp_path / "t.csv", content)
    with pytest.raises(DataError) as caught:
        read(SCHEMA, config(path, *arguments))
    assert str(caught.value).startswith(f"{path}: {text}")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["output=out.txt"], "output: found 'out.txt', expected a name that ends with .parquet, .pq or .csv."),
        (["header=no"], "header: 'no' is unknown (true, false)."),
        (["separator=;;"], "separator: found ';;', expected one character that is not a line break."),
        (["encoding=utf8x"], "encoding: found 'utf8x', expected an encoding such as utf-8, latin-1, cp1252 or utf-16."),
        (["separator="], "separator missing. Usage: model=... input=... output=... [separator=...]"),
    ],
)
def test_arguments_that_are_refused(arguments: list[str], text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config(Path("t.csv"), *arguments)
    assert str(caught.value).startswith(text)


def test_bad_rows_are_left_out_if_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And the ids are still those of the rows in the file."""
    path = written(tmp_path / "t.csv", "x,kind\n?,b\n1,b,2\n2,b\n,b\n3,b\n1\n")
    ids, table = read(SCHEMA, config(path, "on_bad_row=skip"))
    assert (ids, table["x"].to_pylist()) == (["2", "4"], [2.0, 3.0])
    told = f"{path}: skipped 4 of 6 rows (refused in x: 2, not readable: 2)\n"
    assert capsys.readouterr().out == told
    written(path, "x,kind\n?,b\n1,b,2\n")
    with pytest.raises(DataError, match=r"t.csv: no rows that can be used \(skipped 2 of 2 rows \(refused in"):
        read(SCHEMA, config(path, "on_bad_row=skip"))
    with pytest.raises(ConfigError, match=r"^on_bad_row: 'drop' is unknown \(refuse, skip\)"):
        config(path, "on_bad_row=drop")


def test_rows_pass_some_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the first bad one, after which the others are only counted."""
    monkeypatch.setattr(lines, "BLOCK", 40)
    path = written(tmp_path / "t.csv", "x,kind\n" + "1,b\n" * 100)
    parts = list(read_file(SCHEMA, config(path)))
    assert len(parts) > 5
    assert [*chain(*(ids for ids, _ in parts))] == [str(i) for i in range(100)]
    written(path, "x,kind\n" + "1,b\n" * 50 + "?,b\n" + "1,b\n" * 50 + "?,b\n")
    good = read_file(SCHEMA, config(path))
    assert sum(table.num_rows for _, table in islice(good, 3)) <= 50
    with pytest.raises(DataError, match=r"2 values are not a finite number \(row 51: '\?'; row 102: '\?'\)"):
        list(good)
    # one part and its error are found before the first rows are asked for, so before a model is loaded
    written(path, "x,kind\n1,b\n?,b\n")
    with pytest.raises(DataError, match="row 2"):
        read_input(SCHEMA, config(path))


def test_an_empty_cell_is_a_missing_value_where_no_text_is(tmp_path: Path) -> None:
    """As where a model has learned from Parquet, in which a missing value is none of the texts."""
    columns = [replace(column, config=replace(column.config, missing=None), nullable=True) for column in COLUMNS]
    schema = replace(SCHEMA, features=columns)
    path = written(tmp_path / "t.csv", "x,kind\n,b\n1,\n")
    assert read(schema, config(path))[1].to_pydict() == {"x": [None, 1.0], "kind": ["b", None]}
    found = read_any(schema, from_arguments(DriftConfig, ["dataset=d", f"input={path}"]))
    assert [(one.missing, one.refused) for name in ("x", "kind") for one in found.unusable[name]] == [(1, 0), (1, 0)]


@pytest.mark.parametrize("name", ["new.fa", "new.fasta.gz", "new.txt"])
def test_records_of_fasta(tmp_path: Path, name: str) -> None:
    schema = Schema("d", "binary", "hash", [Column("dna", SequenceColumn("sequence"))], "y", ["a", "b"])
    text = ">p first\nACGT\nacg\n>\nNN\n"
    path = written(tmp_path / name, gzip.compress(text.encode(), mtime=0) if name.endswith(".gz") else text)
    more = ["format=fasta"] if name == "new.txt" else []
    ids, table = read(schema, config(path, *more))
    assert (ids, table["dna"].to_pylist()) == (["p", "2"], ["ACGTACG", "NN"])
    if name == "new.fa":
        written(path, text + ">q\n>r\nAXA\n")
        with pytest.raises(DataError) as caught:
            read(schema, config(path))
        assert "(row 4 (line 7): 'X' at position 2, in 'AXA')" in str(caught.value)
        assert "1 row cannot be read (row 3 (line 6): header 'q' without a sequence)." in str(caught.value)
        assert read(schema, config(path, "on_bad_row=skip"))[0] == ["p", "2"]
        new = from_arguments(DriftConfig, ["dataset=d", f"input={path}"])
        with pytest.raises(
            DataError, match=r"new.fa: 1 row cannot be read \(row 3 .* Set on_bad_row=skip to leave such"
        ):
            read_any(schema, new)
        found = read_any(schema, replace(new, on_bad_row="skip"))
        assert found.table["dna"].to_pylist() == ["ACGTACG", "NN", None]
        assert [(one.missing, one.refused) for one in found.unusable["dna"]] == [(0, 1)]
        with pytest.raises(DataError, match=r"new.fa: FASTA has one column of sequences, expected 2 \(x, kind\)\."):
            read(SCHEMA, config(path))


def test_globs_and_files_that_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    schema = Schema("d", "regression", "hash", [Column("text", TextColumn("text"))], "y", [])
    monkeypatch.chdir(tmp_path)
    for name, content in (("a.txt", "one two"), ("b/c.txt", "three"), ("b/d.txt", ""), ("e.csv", "x")):
        (tmp_path / "new" / name).parent.mkdir(parents=True, exist_ok=True)
        written(tmp_path / "new" / name, content)
    for given, names, told in (
        ("new/**", ["new/a.txt", "new/b/c.txt"], "new/e.csv: expected a name that ends with .txt; new/b/d.txt: empty"),
        ("new/*", ["new/a.txt"], "new/e.csv: expected a name that ends with .txt"),
        ("new", ["a.txt", "b/c.txt"], "e.csv: expected a name that ends with .txt; b/d.txt: empty"),
    ):
        parts = list(read_input(schema, config(Path(given), "on_bad_row=skip")))
        assert [*chain(*(ids["file"].to_pylist() for ids, _ in parts))] == names
        assert f"{given}: skipped: " in (out := capsys.readouterr().out)
        assert f"cannot be used ({told})." in out
    with pytest.raises(DataError, match=r"^new/\*: 1 file cannot be used \(new/e.csv: .* Set on_bad_row=skip to "):
        read_input(schema, config(Path("new/*")))
    with pytest.raises(DataError, match=r"^new/e\*: no files that can be used, expected one or more"):
        read_input(schema, config(Path("new/e*"), "on_bad_row=skip"))
    new = from_arguments(DriftConfig, ["dataset=d", "input=new", "on_bad_row=skip"])
    found = read_any(schema, new)
    assert found.table["text"].to_pylist() == ["one two", "three", None]
    assert [(one.missing, one.refused, one.values) for one in found.unusable["text"]] == [(0, 1, 3)]
    assert "new: 1 file cannot be used (b/d.txt: empty).\n" in capsys.readouterr().out
    with pytest.raises(DataError, match=r"^new: 1 file cannot be used \(e.csv: "):
        read_any(schema, replace(new, on_bad_row="refuse"))


def test_an_output_that_would_replace_what_is_read_or_cannot_be_written(tmp_path: Path) -> None:
    """Before a model is loaded. A second command would take answers in a folder of inputs for one of them."""
    path = written(tmp_path / "t.csv", CSV)
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / "out.csv").mkdir()
    for given, output, expected in (
        (path, path, "another file than "),
        (path, tmp_path / "link" / "t.csv", "another file than "),
        (tmp_path, tmp_path / "new" / "a.csv", "another file than "),
        (tmp_path / "*.csv", tmp_path / "new.csv", "another file than "),
        (path, tmp_path / "out.csv", "the name of a file, and this is a folder."),
        (tmp_path / "u.csv", path / "a" / "a.csv", "a file in a folder, and t.csv is a file."),
    ):
        for kind, needed in ((PredictConfig, "model"), (DriftConfig, "dataset")):
            with pytest.raises(ConfigError, match=re.escape(f"output: found '{output}', expected {expected}")):
                from_arguments(kind, [f"{needed}=m", f"input={given}", f"output={output}"])
    assert path.read_text() == CSV


def test_answers_as_csv(tmp_path: Path) -> None:
    answers = {"prediction": np.array(["a", 'b, "c"']), "probability_a": np.array([0.1, 1e-30], np.float32)}
    write_predictions(tmp_path / "out.csv", [(ids_of(["p", "q"]), answers)])
    assert (tmp_path / "out.csv").read_text() == (
        '"row","prediction","probability_a"\n"p","a",0.1\n"q","b, ""c""",1e-30\n'
    )


def test_files_of_which_each_is_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    schema = Schema("d", "regression", "hash", [Column("text", TextColumn("text"))], "y", [])
    monkeypatch.chdir(tmp_path)
    for name in ("new/b.txt", "new/a/c.txt", "new/.hidden.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"in {name}")
    for given, names in (("new", ["a/c.txt", "b.txt"]), ("new/b.txt", ["new/b.txt"]), ("new/*.txt", ["new/b.txt"])):
        assert takes_files(schema, config(Path(given)))
        ((ids, table),) = read_content_files(schema, config(Path(given)))
        assert ids == names
        assert table["text"].to_pylist() == [f"in new/{name.removeprefix('new/')}" for name in names]
    assert not takes_files(schema, config(Path("new/b.txt"), "format=tsv"))
    assert not takes_files(schema, config(Path("new.csv")))
    assert not takes_files(SCHEMA, config(Path("new")))
    (tmp_path / "new" / "d.txt").write_bytes(b"")
    (tmp_path / "new" / "e.csv").write_text("x")
    with pytest.raises(
        DataError,
        match=r"^new: 2 files cannot be used \(e.csv: expected .*; d.txt: empty\)\. Set on_bad_row=skip to leave",
    ):
        list(read_content_files(schema, config(Path("new"))))
    with pytest.raises(DataError, match=r"^new/x\*.txt: no file is named like this"):
        list(read_content_files(schema, config(Path("new/x*.txt"))))
    marked = Column("text", TextColumn("text", missing=["n/a"]))
    (tmp_path / "new" / "b.txt").write_text("n/a")
    for nullable in (True, False):
        schema = Schema("d", "regression", "hash", [replace(marked, nullable=nullable)], "y", [])
        if nullable:
            ((_, table),) = read_content_files(schema, config(Path("new/b.txt")))
            assert table["text"].to_pylist() == [None]
        else:
            with pytest.raises(DataError, match=r"\(new/b.txt: stands for a missing value, of which training had none"):
                list(read_content_files(schema, config(Path("new/b.txt"))))


def test_each_line_is_a_row(tmp_path: Path) -> None:
    schema = Schema("d", "regression", "hash", [Column("text", TextColumn("text"))], "y", [])
    path = written(tmp_path / "new.txt", "\ufeffone\r\n\r\ntwo\nthree")
    assert not takes_files(schema, config(path, "format=lines"))
    ids, table = read(schema, config(path, "format=lines"))
    assert (ids, table["text"].to_pylist()) == (["1", "3", "4"], ["one", "two", "three"])
    written(path, b"one\n\xe9\n")
    with pytest.raises(
        DataError, match=r"new.txt: 1 row cannot be read \(row 2: not UTF-8, byte 1 is 0xe9\)\. Set on_bad_row"
    ):
        read(schema, config(path, "format=lines"))
    with pytest.raises(DataError, match=r"new.txt: lines have one column, expected 2 \(x, kind\)\. Set another format"):
        read(SCHEMA, config(path, "format=lines"))


def test_archives_are_not_unpacked_to_predict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with zipfile.ZipFile("all.zip", "w") as archive:
        archive.writestr("1.txt", "one")
    schema = Schema("d", "regression", "hash", [Column("text", TextColumn("text"))], "y", [])
    for given in ("all.zip", "all.zip/1.txt"):
        text = f"^{given}: all.zip is an archive, expected files that are not packed. Unpack it first.$"
        with pytest.raises(DataError, match=text):
            read_input(schema, config(Path(given)))
    assert [path.name for path in tmp_path.iterdir()] == ["all.zip"]
