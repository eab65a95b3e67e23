"""Archives are datasets as folders are."""

import io
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipeline.config import PrepareConfig, SplitConfig
from pipeline.data.archives import find_place
from pipeline.data.raw_files import digests_of_files
from pipeline.data.sources import fasta, table
from pipeline.data.sources.fasta import FastaDataset
from pipeline.data.sources.files import SOURCE
from pipeline.data.writing import write_prepared
from pipeline.errors import DataError
from pipeline.layout import Layout
from tests.unit.data.test_files_source import dataset, read, refusal
from tests.unit.data.test_table_source import dataset as tabled

TEXTS = {
    "opinions/train/good/1.txt": "fine",
    "opinions/train/good/2.txt": "well made",
    "opinions/train/bad/1.txt": "broken",
    "opinions/train/bad/2.txt": "fell apart",
    "opinions/train/bad/.DS_Store": "x",
    "opinions/test/good/1.txt": "very fine",
    "opinions/test/bad/1.txt": "very bad",
    "__MACOSX/opinions/1.txt": "x",
}
NAMES = ["all.zip", "all.tar", "all.tar.gz", "all.TGZ"]


def packed(path: Path, texts: dict[str, str], *more: tarfile.TarInfo) -> Path:
    """An archive with these files, and with members of a tar that have no content."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in texts.items():
                archive.writestr(name, text)
        return path
    with tarfile.open(path, "w:gz" if path.suffix.lower() in (".gz", ".tgz") else "w") as tar:
        for name, text in texts.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
        for info in more:
            tar.addfile(info)
    return path


def left(root: Path) -> list[str]:
    """What stands in the folder of unpacked archives."""
    return [path.name for path in Layout(root).unpacked("x").parent.glob("*")]


@pytest.mark.parametrize("name", NAMES)
def test_folders_in_an_archive(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = packed(tmp_path / name, TEXTS)
    settings: dict[str, Any] = {"path": f"{name}/opinions/train", "test_path": f"{name}/opinions/test/"}
    found = read(tmp_path, **settings, split="given")
    assert found["text"] == ["fell apart" if i else "broken" for i in (0, 1)] + ["fine", "well made"] + [
        "very bad",
        "very fine",
    ]
    assert found["label"] == ["bad", "bad", "good", "good", "bad", "good"]
    assert found[":fold"] == ["train"] * 4 + ["test"] * 2
    assert capsys.readouterr().out == f"{name}: unpacked\n", "once"
    assert SOURCE.files(dataset(**settings, split="given"), tmp_path) == [archive]
    (digest,) = digests_of_files(dataset(**settings, split="given"), Layout(tmp_path)).values()
    assert left(tmp_path) == [digest]
    # another archive of this name is unpacked anew, and what was in the former one is removed
    packed(archive, {f"{kind}/{i}.txt": f"{kind}{i}" for kind in "ab" for i in "12"})
    assert read(tmp_path, path=name)["text"] == ["a1", "a2", "b1", "b2"]
    assert len(left(tmp_path)) == 1
    assert left(tmp_path) != [digest]
    assert refusal(tmp_path, path=f"{name}/opinions") == f"{name}/opinions: not found, expected a folder."


def test_what_another_archive_holds_too_is_not_removed(tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        packed(tmp_path / name, {"1.txt": "one"})
    shared = [find_place(name, tmp_path).path for name in ("a.zip", "b.zip")]
    assert shared[0] == shared[1]
    packed(tmp_path / "a.zip", {"1.txt": "two"})
    assert (find_place("a.zip", tmp_path).path / "1.txt").read_text() == "two"
    assert (shared[1] / "1.txt").read_text() == "one"


def test_a_manifest_in_an_archive(tmp_path: Path) -> None:
    packed(tmp_path / "all.zip", {"list.csv": "file,label\n1.txt,yes\n2.txt,no\n", "1.txt": "one", "2.txt": "two"})
    settings = {"path": "all.zip", "labels": "manifest", "manifest": "all.zip/list.csv"}
    assert read(tmp_path, **settings) == {"text": ["one", "two"], "label": ["yes", "no"]}
    assert SOURCE.files(dataset(**settings), tmp_path) == [tmp_path / "all.zip"]
    (tmp_path / "other.csv").write_text("file,label\n1.txt,yes\n2.txt,\n")
    text = refusal(tmp_path, **settings | {"manifest": "other.csv"})
    assert text.startswith("other.csv: column 'label'")


@pytest.mark.parametrize("name", NAMES)
def test_tables_and_sequences_in_an_archive(name: str, tmp_path: Path) -> None:
    rows = {f"all/{i}.csv": f"x,kind,y\n{i},a,{i}\n{i},b,1\n" for i in (1, 2)}
    packed(tmp_path / name, rows | {"all/genes.fa": ">one\nACGT\n", "__MACOSX/3.csv": "x"})
    config = tabled(path=[f"{name}/all/*.csv"], constant="accept")
    found = pa.Table.from_batches(table.SOURCE.batches(config, tmp_path))
    assert found["y"].to_pylist() == [1.0, 1.0, 2.0, 1.0]
    assert set(table.SOURCE.files(config, tmp_path)) == {tmp_path / name}
    assert list(digests_of_files(config, Layout(tmp_path))) == [name]
    genes = FastaDataset("made", "fasta", "binary", path={"up": f"{name}/all/genes.fa"})
    (batch,) = fasta.SOURCE.batches(genes, tmp_path)
    assert batch.to_pydict() == {"sequence": ["ACGT"], "label": ["up"]}
    assert fasta.SOURCE.files(genes, tmp_path) == [tmp_path / name]
    wrong = tabled(path=[f"{name}/all/1.csv"], target="z")
    with pytest.raises(DataError, match=rf"^{name}/all/1\.csv: there is no column 'z'"):
        list(table.SOURCE.batches(wrong, tmp_path))
    with pytest.raises(DataError, match=rf"^{name}/none: not found\.$"):
        table.SOURCE.files(tabled(path=f"{name}/none"), tmp_path)


def test_an_archive_is_prepared_as_its_folder_is(tmp_path: Path) -> None:
    texts = {f"{kind}/{i}.txt": f"{kind} number {i}" for kind in ("good", "bad") for i in range(40)}
    packed(tmp_path / "all.tar.gz", texts)
    with tarfile.open(tmp_path / "all.tar.gz") as tar:
        tar.extractall(tmp_path / "folder", filter="data")
    found = []
    for path in ("all.tar.gz", "folder"):
        place = tmp_path / f"prepared from {path}"
        place.mkdir()
        write_prepared(PrepareConfig(SplitConfig(1, 0.2, 0.2), dataset(path=path)), place, tmp_path)
        found.append({file.name: file.read_bytes() for file in place.iterdir()})
    assert found[0] == found[1]
