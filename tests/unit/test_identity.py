"""What a run is: another configuration, other data, other code are another run, and never see its checkpoints."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.compose import compose_config
from pipeline.errors import DataError
from pipeline.files import digest_file, write_json
from pipeline.identity import identify
from pipeline.layout import MANIFEST, SPLITS, Layout, split_file

Identify = Callable[..., str]


def write_prepared(folder: Path, **contents: str) -> Path:
    """Splits of some content, with a manifest as `prepare` writes it."""
    manifest = {}
    for split in SPLITS:
        path = folder / split_file(split)
        path.write_text(contents.get(split, split))
        manifest[split] = {"bytes": path.stat().st_size, "sha256": digest_file(path)}
    write_json(folder / MANIFEST, manifest)
    return folder


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    return write_prepared(tmp_path)


@pytest.fixture
def identity(checkout: Path, prepared: Path) -> Identify:
    layout = Layout(checkout)

    def of(*overrides: str) -> str:
        config = compose_config(layout, "config", ["experiment=cnn_digits", *overrides])
        return str(identify(config, layout, prepared)["identity"])

    return of


def test_configuration(identity: Identify) -> None:
    first = identity()
    assert first == identity()
    others = ["seed=2", "trainer.epochs=41", "model.dropout=0.2", "trainer.threads=1", "trainer.xla=on"]
    assert len({first, *map(identity, others)}) == 1 + len(others)
    # how often a run is saved, scored or shown changes nothing of it
    assert {first} == {identity(o) for o in ("checkpoint.every_epochs=1", "evaluation.resamples=500", "output=x")}


@pytest.mark.parametrize("split", SPLITS)
def test_data(split: str, identity: Identify, prepared: Path) -> None:
    first = identity()
    write_prepared(prepared, **{split: "one row more"})
    assert identity() != first


def test_data_that_are_not_those_of_the_manifest(identity: Identify, prepared: Path) -> None:
    path = prepared / split_file("test")
    path.write_text("cut off")
    again = re.escape(f"Remove {prepared} and run the same command again.")
    with pytest.raises(DataError, match=rf"test\.parquet: found 7 bytes, expected 4\. {again}"):
        identity()
    (prepared / MANIFEST).write_text("{}")
    with pytest.raises(DataError, match=rf"manifest\.json: damaged \('train'\)\. {again}"):
        identity()


@pytest.mark.parametrize(
    ("name", "text", "counts"),
    [
        ("src/pipeline/training/compiled.py", "CHANGED = 1", True),
        ("src/pipeline/training/compiled.py", "# changed", False),
        ("src/pipeline/training/exact.py", "CHANGED = 1", False),
        ("src/pipeline/model/families/cnn.py", "CHANGED = 1", True),
        ("src/pipeline/model/families/rnn.py", "CHANGED = 1", False),
        ("requirements.lock", "# changed", True),
    ],
)
def test_code_that_it_runs_and_lock_file(
    name: str, text: str, counts: bool, identity: Identify, checkout: Path
) -> None:
    first = identity()
    with (checkout / name).open("a") as stream:
        stream.write(f"\n{text}\n")
    assert (identity() != first) == counts


def test_a_missing_split_says_how_to_make_it(identity: Identify, prepared: Path) -> None:
    (prepared / split_file("train")).unlink()
    with pytest.raises(DataError, match=r"train\.parquet: not found\. Run: dvc repro prepare@digits"):
        identity()
