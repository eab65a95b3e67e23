"""Texts that differ by case, blanks, digits or Unicode form are one text to a reader."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.config import PrepareConfig, SplitConfig
from pipeline.data.sources.fasta import FastaDataset
from pipeline.data.types.text import Text, TextColumn
from pipeline.data.writing import write_prepared
from pipeline.errors import ConfigError, DataError
from tests.unit.data.test_table_source import dataset

SPLITS = ("train", "validation", "test")


def prepare(root: Path, **settings: Any) -> dict[str, set[str]]:
    """What the texts of each split have in the middle. Each text has a copy that differs by case and blanks."""
    words = [chr(97 + i % 26) * (i // 26 + 1) for i in range(150)]
    lines = [f"{said} {word} {i},{'pq'[i % 2]}" for i, word in enumerate(words) for said in ("Ring", "ring  ")]
    (root / "t.csv").write_text("\n".join(["kind,y", *lines]) + "\n")
    folder = root / "prepared"
    folder.mkdir(exist_ok=True)
    options = {"columns": {"kind": "text"}, "task": "binary", **settings}
    write_prepared(PrepareConfig(SplitConfig(1, 0.3, 0.1), dataset(**options)), folder, root)
    texts = {name: pq.read_table(folder / f"{name}.parquet")["kind"].to_pylist() for name in SPLITS}
    return {name: {text.split()[1] for text in found} for name, found in texts.items()}


def test_forms_of_one_text_are_equal() -> None:
    same = ["Win £100  now", "win £9\u00a0NOW ", "\uff57\uff49\uff4e £1 now"]
    found = Text().alike(pa.array([*same, "win £ now", ""]), TextColumn("text")).tolist()
    assert len(set(found[:3])) == 1
    assert len(set(found)) == 3


def test_near_duplicates_are_told_refused_or_dealt_out_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = prepare(tmp_path)
    said = capsys.readouterr().out
    assert " test rows differ from a row for training or validation by case, white space, digits or Unicode" in said
    assert found["test"] & found["train"]
    with pytest.raises(DataError, match=r"Set near_duplicates: group to deal such rows out together"):
        prepare(tmp_path, near_duplicates="refuse")
    prepare(tmp_path, near_duplicates="ignore")
    assert "test rows differ" not in capsys.readouterr().out
    found = prepare(tmp_path, near_duplicates="group")
    assert "test rows differ" not in capsys.readouterr().out
    assert not found["test"] & (found["train"] | found["validation"])


def test_equal_rows_of_several_groups_or_times_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [f"word {i // 2},{'pq'[i // 2 % 2]},{i % 7 if i % 2 else 7 + i % 5}" for i in range(300)]
    (tmp_path / "t.csv").write_text("\n".join(["kind,y,of", *lines]) + "\n")
    (tmp_path / "prepared").mkdir()
    options: dict[str, Any] = {"columns": {"kind": "text", "of": "number"}, "task": "binary"}
    for role, told in (
        ("group", "Rows are dealt out by their groups."),
        ("time", "Rows are dealt out by their times."),
    ):
        way = {"split": "time"} if role == "time" else {}
        config = dataset(**options, **way, **{role: "of"})
        write_prepared(PrepareConfig(SplitConfig(1, 0.3, 0.1), config), tmp_path / "prepared", tmp_path)
        assert f" test rows have the features of a row for training or validation. {told}" in capsys.readouterr().out
    config = dataset(**options, group="of", near_duplicates="refuse")
    with pytest.raises(DataError, match=r"Take the copies out of the data, or set near_duplicates: say to accept it"):
        write_prepared(PrepareConfig(SplitConfig(1, 0.3, 0.1), config), tmp_path / "prepared", tmp_path)


def test_copies_of_numbers_across_a_given_split_are_refused_if_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of tables of numbers nothing is looked for but equal rows, and these are dealt out as the split is given."""
    rows = [f"{i},{i % 2}.5,{'test' if i % 3 == 0 else 'train'}" for i in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["x,y,part", *rows, rows[0].replace("test", "train")]) + "\n")
    (tmp_path / "prepared").mkdir()
    told = "1 test row has the features of a row for training or validation. The split stays as it is given."
    given: dict[str, Any] = {"columns": {"x": "number"}, "split": "given", "fold": "part"}
    write_prepared(PrepareConfig(SplitConfig(1, 0.3, 0.1), dataset(**given)), tmp_path / "prepared", tmp_path)
    assert told in capsys.readouterr().out
    config = PrepareConfig(SplitConfig(1, 0.3, 0.1), dataset(**given, near_duplicates="refuse"))
    with pytest.raises(DataError, match=f"^dataset tabled: {told} Take the copies out of the data, or set "):
        write_prepared(config, tmp_path / "prepared", tmp_path)


def test_groups_of_the_source_and_near_copies_do_not_both_deal_rows_out(tmp_path: Path) -> None:
    (tmp_path / "a.fa").write_text(">one class=up\nACGT\n>two class=down\nTTN\n")
    header = r"^(?P<group>\S+) class=(?P<label>\w+)"
    config = FastaDataset("made", "fasta", "binary", near_duplicates="group", path="a.fa", header=header)
    config.check()
    with pytest.raises(ConfigError, match=r"^dataset made: near_duplicates: found 'group', expected say, refuse or"):
        write_prepared(PrepareConfig(SplitConfig(1, 0.3, 0.1), config), tmp_path, tmp_path)


def test_rows_are_not_dealt_out_by_two_rules() -> None:
    with pytest.raises(ConfigError, match="near_duplicates: found 'group', expected split: hash and no group"):
        dataset(near_duplicates="group", split="time", time="x").check()
