"""A mirror belongs to a machine: the environment or a file of the checkout names it, and nothing else knows of it."""

import re
import subprocess
from pathlib import Path

import pytest

from pipeline.data.mirror import MIRROR, mirror_of
from pipeline.errors import ConfigError
from pipeline.layout import Layout
from tests.clones import ROOT


def write(root: Path, text: str) -> Layout:
    (root / "local.yaml").write_text(text)
    return Layout(root)


def test_where_the_mirror_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(MIRROR, raising=False)
    monkeypatch.setenv("HOME", "/home/me")
    assert mirror_of(Layout(tmp_path)) == ""
    for found, expected in (
        ("https://example.org/data", "https://example.org/data"),
        ("/data", "/data"),
        ("../data", f"{tmp_path}/../data"),
        ("~/data", "/home/me/data"),
    ):
        assert mirror_of(write(tmp_path, f"mirror: {found}\n")) == expected
    assert mirror_of(write(tmp_path, "# none\n")) == ""
    write(tmp_path, "mirror: /data\n")
    experiment = tmp_path / ".dvc" / "tmp" / "exps" / "tmp1"
    assert mirror_of(Layout(experiment)) == "/data", "where DVC runs experiments, ignored files are not"
    monkeypatch.setenv(MIRROR, "/other")
    assert mirror_of(Layout(tmp_path)) == "/other"
    monkeypatch.setenv(MIRROR, "")
    assert mirror_of(Layout(tmp_path)) == ""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("miror: /data", "local.yaml: found {'miror': '/data'}, expected mirror: and a folder or an address."),
        ("mirror: [/data]", "local.yaml: found {'mirror': ['/data']}, expected mirror: and a folder or an address."),
        ("mirror:", "local.yaml: found {'mirror': None}, expected mirror: and a folder or an address."),
        ("/data", "local.yaml: found '/data', expected mirror: and a folder or an address."),
        ("mirror: [", "local.yaml: cannot be read (while parsing a flow node"),
    ],
)
def test_what_names_no_mirror(text: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(MIRROR, raising=False)
    with pytest.raises(ConfigError, match=re.escape(told)):
        mirror_of(write(tmp_path, text))


def test_nobody_watches_the_file() -> None:
    """It is in no folder that a stage depends on, and git leaves it alone."""
    path = Layout(ROOT).local
    assert path.parent == Layout(ROOT).home
    assert subprocess.run(["git", "check-ignore", "-q", str(path)], cwd=ROOT, check=False).returncode == 0
