"""All that `prepare` refuses is listed in a file, which is gone when there is nothing to list any more."""

import csv
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipeline.config import PrepareConfig, SplitConfig
from pipeline.config.contract import ContractConfig, RuleConfig
from pipeline.data.ahead import ahead
from pipeline.data.refused_file import MOST_CHARACTERS, and_more, as_texts, listing, tell_refused
from pipeline.data.sources import fasta
from pipeline.data.sources.fasta import FastaDataset
from pipeline.data.writing import write_prepared
from pipeline.errors import DataError, PipelineError
from pipeline.layout import Layout
from tests.unit.data import test_files_source
from tests.unit.data.test_table_source import dataset

LINE = (1, "a.csv", "x", "?", "a number")


def prepare(root: Path, config: Any) -> None:
    folder = root / "prepared"
    folder.mkdir(exist_ok=True)
    write_prepared(PrepareConfig(SplitConfig(1, 0.3, 0.3), config), folder, root)


def refusal(root: Path, config: Any) -> str:
    with pytest.raises(PipelineError) as caught:
        prepare(root, config)
    return str(caught.value)


def listed(root: Path, name: str = "tabled") -> list[dict[str, str]]:
    """What the file lists; there is nothing else in its folder."""
    path = Layout(root).refused(name)
    assert list(path.parent.iterdir()) == [path]
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def write_table(path: Path, change: dict[int, str]) -> None:
    """60 rows, some of them changed."""
    lines = [change.get(i, f"{i}.5,{'ab'[i % 2]},{'pq'[i // 2 % 2]}") for i in range(1, 61)]
    path.write_text("\n".join(["x,kind,y", *lines]) + "\n")


def test_what_breaks_a_contract(tmp_path: Path) -> None:
    """Rows have the numbers that they have in their files, also behind one that is skipped."""
    (tmp_path / "rows").mkdir()
    write_table(tmp_path / "rows/1.csv", {3: "no number,a,p", 7: "7.5,,q", 9: '9.5,"b\n, c",p', 20: "2000,a,p"})
    write_table(tmp_path / "rows/2.csv", {i: f"{-i},a,p" for i in range(1, 13)})
    rules = {"x": RuleConfig(min=0, max=100, unique=True), "kind": RuleConfig(values=["a", "b"], max_missing=0.005)}
    contract = ContractConfig(columns=rules)
    settings = {"path": "rows", "on_bad_row": "skip", "missing": [""], "newlines": True, "task": "binary"}
    text = refusal(tmp_path, dataset(**settings, leakage="accept", contract=contract))
    assert "column 'x': 12 values are less than 0 (row 1 of rows/2.csv: '-1.0'; " in text
    assert "column 'x': 1 value is greater than 100 (row 20 of rows/1.csv: '2000.0')." in text
    assert "row 10 of rows/2.csv: '-10.0'; ...; all of them: build/refused/tabled.csv)." in text
    assert "column 'kind': 1 of 119 values are missing, more than 0.50% (row 7 of rows/1.csv)." in text
    found = listed(tmp_path)
    known = [(row["row"], row["column"], row["value"], row["expected"]) for row in found if row["file"] == "rows/1.csv"]
    assert [row for row in known if row[3] != "a value that no other row has"] == [
        ("20", "x", "2000", "100 or less"),
        ("9", "kind", "b\n, c", "one of a, b"),
        ("7", "kind", "", "a value, but for 0.50% of the rows"),
    ]
    less = [(row["row"], row["file"], row["value"]) for row in found if row["expected"] == "0 or more"]
    assert less == [(str(i), "rows/2.csv", str(-i)) for i in range(1, 13)]
    # what both files have
    repeated = [row["row"] for row in found if row["expected"] == "a value that no other row has"]
    assert sorted(repeated) == sorted([str(i) for i in range(13, 61) if i != 20] * 2)
    (tmp_path / "rows/2.csv").unlink()
    write_table(tmp_path / "rows/1.csv", {})
    prepare(tmp_path, dataset(**settings, leakage="accept", contract=contract))
    assert list(Layout(tmp_path).refused("tabled").parent.iterdir()) == []


def test_bad_rows(tmp_path: Path) -> None:
    numbers = range(3, 60, 3)
    write_table(tmp_path / "t.csv", {i: f"<{i}>,a,p" for i in numbers} | {4: "4.5,a", 5: "5.5,a,"})
    text = refusal(tmp_path, dataset(task="binary", missing=[""]))
    assert "row 30: '<30>'; ...; all of them: build/refused/tabled.csv)." in text
    found = listed(tmp_path)
    assert {row["file"] for row in found} == {"t.csv"}
    of_x = [(row["row"], row["value"]) for row in found if row["column"] == "x"]
    assert of_x == [(f"{i}", f"<{i}>") for i in numbers]
    assert [(row["row"], row["column"], row["expected"]) for row in found if row["column"] != "x"] == [
        ("5", "y", "a value, as it is the target"),
        ("4", "", "a row that can be read (found 2 fields, expected 3)"),
    ]
    # those that are left out are only counted
    prepare(tmp_path, dataset(task="binary", missing=[""], on_bad_row="skip", leakage="accept"))
    assert list(Layout(tmp_path).refused("tabled").parent.iterdir()) == []


def test_files_that_break_a_contract_have_no_row(tmp_path: Path) -> None:
    for i in range(30):
        for kind in "ab":
            path = tmp_path / "d" / kind / f"{i:02}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("a long text" if i == 7 else f"{i}{kind}")
    contract = ContractConfig(columns={"text": RuleConfig(max_length=5)})
    config = test_files_source.dataset(path="d", contract=contract, near_duplicates="say")
    assert "(d/a/07.txt: 'a long text'; d/b/07.txt: 'a long text')" in refusal(tmp_path, config)
    assert [(row["row"], row["file"]) for row in listed(tmp_path, config.name)] == [
        ("", "d/a/07.txt"),
        ("", "d/b/07.txt"),
    ]


def test_a_thread_that_reads_on_after_the_end_writes_nothing(tmp_path: Path) -> None:
    told: list[Any] = []
    with listing(Layout(tmp_path), "tabled"):
        told.append(copy_context())
    told[0].run(tell_refused, [LINE])
    assert not Layout(tmp_path).refused("tabled").parent.exists()


def test_bad_files_and_records(tmp_path: Path) -> None:
    for i in range(14):
        for kind in "ab":
            path = tmp_path / "d" / kind / f"{i:02}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("" if kind == "a" and i < 12 else f"text {i}{kind}")
    config = test_files_source.dataset(path="d")
    assert "a/09.txt: empty; ...; all of them: build/refused/" in refusal(tmp_path, config)
    found = listed(tmp_path, config.name)
    assert [(row["row"], row["file"], row["expected"]) for row in found] == [
        ("", f"a/{i:02}.txt", "a file that can be used (empty)") for i in range(12)
    ]
    (tmp_path / "genes.fa").write_text("".join(f">{i}\nACGT{'X' * (i == 3)}{'A' * (i == 5)}\n" for i in range(1, 9)))
    settings: dict[str, Any] = {"path": {"up": "genes.fa"}, "on_bad_row": "skip"}
    contract = ContractConfig(columns={"sequence": RuleConfig(max_length=4)})
    records = FastaDataset("made", "fasta", "multiclass", contract=contract, **settings)
    assert "1 value is longer than 4 characters (row 5 (line 9): 'ACGTA')." in refusal(tmp_path, records)
    assert listed(tmp_path, "made")[0]["row"] == "5 (line 9)"
    (batch,) = fasta.SOURCE.batches(FastaDataset("made", "fasta", "binary", **settings), tmp_path)
    assert batch.schema.names == ["sequence", "label"], "without a contract nobody asks where rows are from"


def test_a_list_takes_the_place_of_the_former_one_whole_or_not_at_all(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    path = layout.refused("made")

    def told(error: BaseException | None) -> None:
        with listing(layout, "made"):
            tell_refused([LINE, LINE])
            assert not path.exists() or "first" in path.read_text()
            assert and_more(3, 1) == "; ...; all of them: build/refused/made.csv"
            if error is not None:
                raise error

    for error in (DataError("refused"), KeyboardInterrupt(), OSError("disk full")):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("first")
        with pytest.raises(type(error)):
            told(error)
        whole = "row,file,column,value,expected\n" + "1,a.csv,x,?,a number\n" * 2
        assert path.read_text() == (whole if isinstance(error, DataError) else "first")
        assert list(path.parent.iterdir()) == [path]
    # an error about something else
    with pytest.raises(DataError), listing(layout, "made"):
        raise DataError("not found")
    assert not path.exists()


def test_without_a_list_nothing_is_written() -> None:
    def lines() -> Any:
        raise AssertionError("nobody asks for them")
        yield LINE

    tell_refused(lines())
    assert and_more(3, 1) == "; ..."
    assert and_more(1, 1) == ""


def test_what_is_told_in_the_thread_that_reads_ahead(tmp_path: Path) -> None:
    def read() -> Any:
        yield 1
        tell_refused([LINE])
        raise DataError("refused")

    with pytest.raises(DataError), listing(Layout(tmp_path), "made"):
        list(ahead(read()))
    assert len(listed(tmp_path, "made")) == 1


def test_values_as_texts() -> None:
    long = "\u00e4" * MOST_CHARACTERS
    assert as_texts(pa.array([long, f"{long}b", "b", None])) == [long, f"{long}...", "b", ""]
    assert as_texts(pa.array([1.5, 2.0, None])) == ["1.5", "2", ""]
    assert as_texts(pa.array([b"\xff", None])) == ["", ""]
    assert as_texts(pa.array(["a", "b"]).dictionary_encode()) == ["a", "b"]
    assert as_texts(pa.array([[1, 2], None])) == ["[1, 2]", ""]
    assert as_texts(pa.chunked_array([["a"], ["b"]])) == ["a", "b"]
