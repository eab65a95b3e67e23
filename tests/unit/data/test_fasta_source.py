"""FASTA files: where labels come from, and what is refused."""

import gzip
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.config import PrepareConfig, SplitConfig, check_all
from pipeline.data.formats import lines
from pipeline.data.formats.fasta import records
from pipeline.data.formats.rows import TableFile
from pipeline.data.sources import fasta_rows
from pipeline.data.sources.fasta import SOURCE, FastaDataset
from pipeline.data.writing import write_prepared
from pipeline.errors import ConfigError, DataError

BY_HEADER = r"class=(?P<label>\w+)"
FILES = {
    "a.fa": ">one class=up\nACGT\nacgt\n\n>two class=down more\nTTN\n",
    "b.fa": "; a comment\n>three class=up\nGG GG\r\n",
    "labels.csv": "id,label,family\none,up,x\ntwo,down,y\nthree,up,x\n",
}
LETTERS = ["ACGTACGT", "TTN", "GGGG"]


def dataset(**settings: Any) -> FastaDataset:
    given = {"header", "labels"} & set(settings) or isinstance(settings.get("path"), dict)
    ways = {} if given else {"header": BY_HEADER}
    config = FastaDataset(**{"name": "made", "source": "fasta", "task": "binary", "path": "*.fa", **ways, **settings})
    check_all(config)
    return config


def read(root: Path, **settings: Any) -> dict[str, list[Any]]:
    config = dataset(**settings)
    SOURCE.files(config, root)
    columns = SOURCE.columns(config, root).with_roles_of(config)
    schema = pa.schema([(column.name, column.storage) for column in columns.all])
    found: dict[str, list[Any]] = pa.Table.from_batches(SOURCE.batches(config, root), schema).to_pydict()
    return found


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, newline="")
    return tmp_path


def test_labels_by_the_header(root: Path) -> None:
    assert read(root) == {"sequence": LETTERS, "label": ["up", "down", "up"]}
    grouped = read(root, header=r"^(?P<group>\w).*class=(?P<label>\w+)")
    assert grouped["group"] == ["o", "t", "t"]


def test_labels_by_the_file(root: Path) -> None:
    (root / "a.fa.gz").write_bytes(gzip.compress(FILES["a.fa"].encode()))
    found = read(root, path={"first": "a.fa.gz", "second": ["b.fa"]})
    assert found == {"sequence": LETTERS, "label": ["first", "first", "second"]}


def test_labels_by_a_table(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = read(root, labels="labels.csv", group="family")
    assert found == {"sequence": LETTERS, "label": ["up", "down", "up"], "family": ["x", "y", "x"]}
    (root / "labels.csv").write_text(FILES["labels.csv"] + "four,up,x\n")
    read(root, labels="labels.csv")
    assert capsys.readouterr().out == "made: 1 of the ids in labels.csv are in no header\n"
    assert SOURCE.files(dataset(labels="labels.csv"), root) == [root / name for name in ("a.fa", "b.fa", "labels.csv")]


def test_files_of_an_official_split(root: Path) -> None:
    found = read(root, path="a.fa", test_path="b.fa", split="given")
    splits = ["train", "train", "test"]
    assert found == {"sequence": LETTERS, "label": ["up", "down", "up"], ":fold": splits}
    assert SOURCE.files(dataset(path="a.fa", test_path="b.fa", split="given"), root) == [root / "a.fa", root / "b.fa"]
    paths: dict[str, Any] = {"path": {"x": "a.fa"}, "test_path": {"x": "b.fa"}, "split": "given"}
    assert read(root, **paths) == {"sequence": LETTERS, "label": ["x"] * 3, ":fold": splits}
    (root / "c.fa").write_text(">four class=down\nACCA\n")
    found = read(root, path="a.fa", test_path="b.fa", validation_path="c.fa", split="given")
    assert found[":fold"] == ["train", "train", "validation", "test"]
    found = read(root, path="a.fa", test_path="b.fa", split="given", labels="labels.csv")
    assert found["label"] == ["up", "down", "up"]
    with pytest.raises(DataError, match=r"^a\.fa: found in path and in test_path, expected each file once\.$"):
        read(root, path="a.fa", test_path="*.fa", split="given")


def test_records_for_testing_stay_the_test_rows(root: Path) -> None:
    random = np.random.Generator(np.random.PCG64(3))
    texts = ["".join("ACGT"[i] for i in random.integers(0, 4, 20)) for _ in range(60)]
    for name, some in (("train.fa", texts[:50]), ("test.fa", texts[50:])):
        lines = [f">{i} class={'up' if i % 2 else 'down'}\n{text}\n" for i, text in enumerate(some)]
        (root / name).write_text("".join(lines))
    config = dataset(path="train.fa", test_path="test.fa", split="given")
    (root / "prepared").mkdir()
    write_prepared(PrepareConfig(SplitConfig(seed=1, test=0.2, validation=0.25), config), root / "prepared", root)
    found = {
        name: pq.read_table(root / "prepared" / f"{name}.parquet")["sequence"].to_pylist()
        for name in ("train", "validation", "test")
    }
    assert found["test"] == texts[50:]
    assert sorted(found["train"] + found["validation"]) == sorted(texts[:50])
    assert found["validation"]


def test_bad_records_are_left_out_and_counted(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "a.fa").write_text(">one class=up\nACXT\n>two class=down\n>three\nAC\n>four class=up\nAA\n")
    found = read(root, path="a.fa", on_bad_row="skip")
    assert found == {"sequence": ["AA"], "label": ["up"]}
    assert capsys.readouterr().out == "made: skipped 3 of 4 rows (refused in sequence: 1, not readable: 2)\n"


SKIP = "Set on_bad_row: skip to leave such rows out."
A_RECORD = "expected FASTA, whose records begin with a line such as >name."


@pytest.mark.parametrize(
    ("content", "settings", "message"),
    [
        (">one class=up\n>two class=up\nAC\n", {},
         f"a.fa: 1 row cannot be read (row 1 (line 1): header 'one class=up' without a sequence). {SKIP}"),
        (">one class=up\nAC\n>\nAC\n", {},
         f"a.fa: 1 row cannot be read (row 2 (line 3): header '' has no label by dataset.header). {SKIP}"),
        ("ACGT\n>one class=up\nAC\n", {}, "a.fa: line 1: found 'ACGT' before any header, expected FASTA"),
        (">one class=up\nACGT\nACGJ\n", {},
         "a.fa: column 'sequence': 1 value is not a sequence of letters of its alphabet (row 1 (line 1): 'J' at "
         "position 8, in 'ACGTACGJ'). The letters of dna are ACGT, and RYSWKMBDHVN for several of them. Set alphabet:"),
        ("id,x\n1,2\n", {}, "a.fa: line 1: found 'id,x' before any header"),
        ("\n\n", {}, f"a.fa: no records, {A_RECORD}"),
        ("", {}, "a.fa: empty, expected rows."),
        (gzip.compress(b">one class=up\nAC\n" * 99, mtime=0), {}, "a.fa: found a gzip file, expected text. Let its"),
        (">one class=up\nAC\n", {"header": r"^(?P<label>one)(?P<group>x)?"},
         "a.fa: 1 row cannot be read (row 1 (line 1): header 'one class=up' has no group by dataset.header)."),
        (">five\nAC\n", {"labels": "labels.csv"},
         f"a.fa: 1 row cannot be read (row 1 (line 1): id 'five' is not in labels.csv). {SKIP}"),
        (">one class=up\nACXT\n", {"on_bad_row": "skip"},
         "a.fa: no records that can be used (skipped 1 of 1 rows (refused in sequence: 1)), expected one or more."),
        ("\x89PNG\x00", {}, "a.fa: line 1: found"),
    ],
)  # fmt: skip
def test_what_is_no_usable_fasta(root: Path, content: Any, settings: dict[str, Any], message: str) -> None:
    (root / "a.fa").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError, match=f"^{re.escape(message)}") as caught:
        read(root, path="a.fa", **settings)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_cut_off(root: Path) -> None:
    (root / "a.fa.gz").write_bytes(gzip.compress(FILES["a.fa"].encode() * 999, mtime=0)[:-20])
    with pytest.raises(DataError, match=r"a\.fa\.gz: not a whole gzip file .* It may be cut off"):
        read(root, path="a.fa.gz")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            "id,label\none,up\none,down\ntwo,up\none,up\n",
            "labels.csv: 2 rows have the id of another row (row 2: 'one', as in row 1; row 4: 'one', as in row 1). ",
        ),
        (
            "id,label\none,\ntwo,up\n,up\nx\nthree,\n",
            "labels.csv: column 'id' is the id, and 1 row has no value (row 3). column 'label' is the label, and 2 "
            "rows have no value (row 1; row 5). 1 row cannot be read (row 4: found 1 field, expected 2). Set on_bad_",
        ),
        ("name,label\none,up\n", "labels.csv: there is no column 'id'"),
    ],
)
def test_tables_without_one_label_for_each_id(root: Path, table: str, message: str) -> None:
    (root / "labels.csv").write_text(table)
    with pytest.raises(DataError, match=f"^{re.escape(message)}"):
        read(root, labels="labels.csv")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"header": "", "labels": ""}, "dataset: the places of labels: found 'none', expected one of header, labels"),
        ({"header": BY_HEADER, "labels": "labels.csv"}, "dataset: the places of labels: found 'header and labels'"),
        ({"header": r"class=(\w+)"}, r"dataset.header: found 'class=(\\w+)', expected a group (?P<label>...)."),
        ({"header": "(?P<label>"}, "dataset.header: '(?P<label>' is no regular expression ("),
        ({"group": "family"}, "dataset.group: found 'family', expected nothing without labels"),
        ({"alphabet": "DNA"}, "dataset.alphabet: 'DNA' is unknown (dna, rna, protein)."),
        ({"path": {"up": "a.fa", "down": []}}, "dataset.path.down: found [], expected a file, a glob or a folder"),
        ({"test_path": "b.fa"}, "dataset.test_path: found 'b.fa', expected nothing unless split: given."),
        (
            {"path": {"up": "a.fa"}, "test_path": "b.fa", "split": "given"},
            "dataset.test_path: found 'b.fa', expected a mapping of labels to files, as path is.",
        ),
        (
            {"test_path": {"up": "b.fa"}, "split": "given"},
            "dataset.test_path: found {'up': 'b.fa'}, expected no mapping, as path is.",
        ),
        (
            {"test_path": "b.fa", "split": "given", "header": "(?P<group>.)(?P<label>.)"},
            "dataset.header: found '(?P<group>.)(?P<label>.)', expected no group (?P<group>...) with test_path.",
        ),
        ({"on_bad_row": "drop"}, "dataset.on_bad_row: 'drop' is unknown (refuse, skip)."),
    ],
)
def test_settings_that_no_fasta_can_have(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}"):
        dataset(**settings)


def test_records_come_in_parts_of_so_many_letters(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fasta_rows, "LETTERS_AT_ONCE", 10)
    lengths = [4, 4, 4, 30, 1, 1]
    text = "".join(f">{i} class=up\n{'A' * length}\n" for i, length in enumerate(lengths))
    (root / "a.fa").write_text(text)
    batches = list(SOURCE.batches(dataset(path="a.fa"), root))
    assert [batch.num_rows for batch in batches] == [3, 1, 2]
    assert read(root, path="a.fa")["sequence"] == ["A" * length for length in lengths]


def test_only_line_breaks_end_a_line(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = "a\x0bb\x0cc\x85d\u2028e\x1cf"
    (root / "a.fa").write_text(f">one {odd} class=up\r\nAC\rGT\n>two\nA\n", newline="")
    (root / "labels.csv").write_text("id,label\none,up\ntwo,down\n")
    monkeypatch.setattr(lines, "BLOCK", 32)
    found = [(record.header, record.line, record.letters) for record in records(TableFile(root / "a.fa", "a.fa"))]
    assert found == [(f"one {odd} class=up", 1, "ACGT"), ("two", 4, "A")]


def test_a_table_of_labels_as_excel_writes_it_and_with_bad_rows(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "labels.csv").write_text("id;label\none;gr\u00fcn\nsix;\ntwo;blau\nthree;blau\n", encoding="cp1252")
    options = {"labels": "labels.csv", "separator": ";", "encoding": "cp1252", "on_bad_row": "skip"}
    assert read(root, **options)["label"] == ["gr\u00fcn", "blau", "blau"]
    assert capsys.readouterr().out == "labels.csv: skipped 1 of 4 rows (no label: 1)\n"


def test_labels_behind_a_url_are_watched(root: Path) -> None:
    url = (root / "labels.csv").as_uri()
    config = dataset(path="a.fa", labels=url)
    assert SOURCE.files(config, root) == [root / "a.fa"]
    before = SOURCE.remote(config, root)
    assert list(before) == [url]
    assert read(root, path="a.fa", labels=url)["label"] == ["up", "down"]
    (root / "labels.csv").write_text("id,label\none,up\ntwo,up\n")
    assert SOURCE.remote(config, root) != before
