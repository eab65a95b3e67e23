"""A process that composes again and again reads the files once, and notices what becomes of them."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline import hydra_compose
from pipeline.compose import compose_config
from pipeline.errors import ConfigError
from pipeline.layout import Layout
from tests.clones import ROOT

CHOSEN = ["experiment=cnn_digits"]


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    shutil.copytree(ROOT / "conf", tmp_path / "conf")
    shutil.copy(ROOT / "params.yaml", tmp_path)
    return Layout(tmp_path)


def replace(path: Path, old: str, new: str) -> None:
    """Replace a text by one of the same length, and leave the file's time as it was."""
    state, text = path.stat(), path.read_text()
    assert len(old) == len(new)
    assert old in text
    path.write_text(text.replace(old, new))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


@pytest.mark.parametrize(
    ("edit", "epochs", "seed"),
    [
        (lambda layout: replace(layout.conf / "experiment" / "cnn_digits.yaml", "epochs: 40", "epochs: 41"), 41, 1),
        (lambda layout: replace(layout.params, "seed: 1\nsplit", "seed: 2\nsplit"), 40, 2),
    ],
    ids=["conf", "params"],
)
def test_an_edit_is_noticed(edit: Callable[[Layout], None], epochs: int, seed: int, layout: Layout) -> None:
    composed = [compose_config(layout, "config", [*CHOSEN, "model.dropout=0.1"]) for _ in range(2)]
    assert [(config.trainer.epochs, config.seed) for config in composed] == [(40, 1)] * 2
    edit(layout)
    changed = compose_config(layout, "config", [*CHOSEN, "model.dropout=0.1"])
    assert (changed.trainer.epochs, changed.seed, changed.model.dropout) == (epochs, seed, 0.1)


def test_a_key_that_becomes_a_group_is_noticed(layout: Layout) -> None:
    assert compose_config(layout, "config", [*CHOSEN, "seed=5"]).seed == 5
    (layout.conf / "seed").mkdir()
    (layout.conf / "seed" / "five.yaml").write_text("# @package _global_\nseed: 5\n")
    with pytest.raises(ConfigError, match=r"To append to your default list use \+seed=five"):
        compose_config(layout, "config", [*CHOSEN, "seed=five"])
    assert compose_config(layout, "config", [*CHOSEN, "+seed=five"]).seed == 5


def test_other_values_alone_are_not_composed_anew(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    first = compose_config(layout, "config", [*CHOSEN, "model.filters=[8]"])
    with monkeypatch.context() as without:
        without.setattr(hydra_compose, "compose", None)
        second = compose_config(layout, "config", [*CHOSEN, "model.filters=[16]", "+trainer.callbacks.terminate={}"])
        with pytest.raises(TypeError):
            compose_config(layout, "config", [*CHOSEN, "model=rnn"])
    assert (first.model.filters, first.trainer.callbacks) == ([8], {})
    assert (second.model.filters, second.trainer.callbacks) == ([16], {"terminate": {}})


@pytest.mark.parametrize("elsewhere", ["override", "file"])
def test_files_of_other_places_are_not_remembered(elsewhere: str, layout: Layout, tmp_path: Path) -> None:
    other = tmp_path / "other" / "debug" / "mine.yaml"
    other.parent.mkdir(parents=True)
    given = [*CHOSEN, "debug=mine", "seed=5"]
    if elsewhere == "file":
        with (layout.conf / "config.yaml").open("a") as file:
            file.write(f"hydra:\n  searchpath: [{tmp_path / 'other'}]\n")
    else:
        given.append(f"hydra.searchpath=[{tmp_path / 'other'}]")
    for epochs in (3, 4):
        other.write_text(f"# @package _global_\ntrainer:\n  epochs: {epochs}\n")
        config = compose_config(layout, "config", given)
        assert (config.trainer.epochs, config.seed) == (epochs, 5)
