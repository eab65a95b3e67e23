"""DVC's own commands fit a screen, and its page of plots needs no network."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.clones import EXPERIMENTS, IDENTITY, clone, copy, shell

MOST_COLUMNS, WIDTH = 60, 140


@pytest.fixture
def project(reproduced: Path, tmp_path: Path) -> Path:
    root = copy(reproduced, tmp_path / "clone")
    subprocess.run(["git", *IDENTITY, "commit", "-qam", "results"], cwd=root, check=True)
    return root


@pytest.mark.slow
def test_dvcs_tables_and_plots(project: Path) -> None:
    header = shell(project, "dvc exp show --md").splitlines()[0]
    columns = [cell.strip() for cell in header.strip("| ").split("|")]
    assert len(columns) <= MOST_COLUMNS, columns
    assert [name for name in columns if ".yaml:" in name] == [], "a generated file's keys"
    assert {"seed", "split.test", "experiments.cnn_digits", "promotion.confidence"} <= set(columns)

    lines = shell(project, "dvc metrics show").splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert sorted(lines[0].split()) == ["Path", "high", "low", "score"]
    assert len(lines) == 1 + len(EXPERIMENTS)

    text = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(text.replace("seed: 1\nsplit", "seed: 2\nsplit", 1))
    changed = shell(project, "dvc params diff").splitlines()
    assert [line.split() for line in changed[1:]] == [["params.yaml", "seed", "1", "2"]]

    shell(project, "dvc plots show")
    page = (project / "dvc_plots" / "index.html").read_text()
    assert re.findall(r"""(?:src|href)=["']?(https?:|//)""", page) == []
    for experiment in EXPERIMENTS:
        second = "residuals" if experiment == "linear_diabetes" else "confusion"
        for name in ("history", second):
            shown = f"static/workspace_build_evaluate_{experiment}_plots_{name}.svg"
            assert shown in page
            assert (project / "dvc_plots" / shown).read_text().rstrip().endswith("</svg>")


def test_lines_end_alike_in_every_checkout(tmp_path: Path) -> None:
    """Stages depend on bytes; git on Windows, and where somebody has set it so, writes CRLF."""
    clone(tmp_path / "first")
    command = ["git", "clone", "-q", "-c", "core.autocrlf=true", "-c", "core.eol=crlf", "first", "second"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=tmp_path / "first", check=True, capture_output=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        assert (tmp_path / "second" / name).read_bytes() == (tmp_path / "first" / name).read_bytes(), name


@pytest.mark.parametrize("name", ["runs", "build", "mlartifacts", "data/prepared", ".venv"])
def test_links_to_another_disk_leave_a_checkout_clean(name: str, tmp_path: Path) -> None:
    root = clone(tmp_path / "clone")
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).symlink_to(tmp_path)
    done = subprocess.run(["git", "status", "--porcelain"], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == ""
