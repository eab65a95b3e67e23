"""README and docs/ are true: every command in them is run, in their order, in one clone; quoted code is there."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.clones import EXPERIMENTS, ROOT, copy, environment, shell

Shell = Callable[[Path, str], str]
PAGES = ["README.md", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md"))]
SETUP = "make repro"
PARTS = 2
STARTS = ("make", "dvc", "python", "mlflow", "git", "pip", "tensorboard", "source")
NOT_RUN = {
    "python -m pipeline.train -m experiment=cnn_digits sweep=cnn": "32 trainings of a CNN; docs/searches.md has 3",
    "python -m pipeline.adopt sweep=<name> as=cnn_best": "tests/stages/test_search.py adopts a winner",
    "make test": "it would run itself",
    "dvc exp run -S seed=7": "test_experiment_in_a_temporary_tree runs one stage with it",
    "dvc remote add -d storage /path/to/a/folder": "test_same_bits_elsewhere_and_carried_results does all five",
    'git commit -m "Where results are kept" .dvc/config dvc.lock': "the same",
    "dvc push": "the same",
    "git clone <this repository> elsewhere && cd elsewhere": "the same",
    "make setup && source .venv/bin/activate": "an environment of the same lock file is there",
    "dvc pull && make repro": "the same",
    "python -m pipeline.inspect path=data/raw/birds.csv target=species write=birds": "docs/data.md's are run",
    "make repro EXPERIMENT=logistic_birds": "the same",
}
OWN_TABLE = "docs/data.md"  # its commands belong together; test_your_own_table runs them


def blocks(page: str) -> list[tuple[str, str]]:
    """Language and content of each fenced block of a page, in order."""
    return re.findall(r"^ *```(\w*)\n(.*?)^ *```$", (ROOT / page).read_text(), re.DOTALL | re.MULTILINE)


def commands(content: str) -> list[str]:
    """The command lines of a block, without what explains them behind two spaces or more."""
    lines = [re.split(r" {2,}|\s+#", line.strip())[0] for line in content.splitlines()]
    return [line for line in lines if line.split(" ")[0] in STARTS]


def commands_of(page: str) -> list[str]:
    return [line for language, content in blocks(page) if not language for line in commands(content)]


def command_lines() -> list[str]:
    return [line for page in PAGES if page != OWN_TABLE for line in commands_of(page)]


def test_there_is_something_to_run() -> None:
    found = command_lines()
    assert len(found) > 15
    assert set(NOT_RUN) <= set(found), "an exception for a command that no page has"


@pytest.fixture
def project(reproduced: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A reproduced clone; its store is filled by the first `make repro`."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return copy(reproduced, tmp_path / "clone")


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_every_command_of_the_pages(part: int, project: Path, quick_shell: Shell) -> None:
    """The pipeline's own do without the seconds of their imports: test_kill.py, test_pipeline.py and others run each
    of them as a whole process; inspect and predict are whole ones below."""
    root = project
    found = list(dict.fromkeys(line for line in command_lines() if line not in NOT_RUN))
    length = -(-len(found) // PARTS)
    commands_of_part = found[part * length : (part + 1) * length]
    for command in dict.fromkeys([SETUP, *commands_of_part]):
        printed = quick_shell(root, command)
        assert command != "make repro" or "didn't change, skipping" in printed
    changed = subprocess.run(["git", "status", "--porcelain"], cwd=root, check=True, capture_output=True, text=True)
    assert set(changed.stdout.splitlines()) <= {" M dvc.lock", "?? out.parquet"}, "the pipeline littered the checkout"
    page = root / "dvc_plots" / "index.html"
    assert page.is_file() == ("dvc plots show" in commands_of_part)
    for name in EXPERIMENTS if page.is_file() else ():
        assert f"build/evaluate/{name}/plots" in page.read_text().replace("\\\\", "/")


@pytest.mark.slow
def test_your_own_table(project: Path) -> None:
    """From a CSV file to a registered model, as docs/data.md says, each command as a whole process."""
    found = commands_of(OWN_TABLE)
    printed = {command: shell(project, command) for command in found}
    told = printed["make repro EXPERIMENT=logistic_fruit"]
    assert re.search(r"^logistic_fruit +accuracy ", told, re.MULTILINE)
    assert printed[found[-1]].startswith("fruit_answers.csv: 300 predictions of ")


@pytest.mark.slow
def test_adding_and_removing_an_experiment_and_every_python_block(project: Path, quick_shell: Shell) -> None:
    """As README and docs/experiments.md say: its folders come and go, its registered model stays until deleted."""
    root = project
    quick_shell(root, SETUP)
    (content,) = [text for language, text in blocks("README.md") if language == "yaml"]
    text = "\n".join(line.removeprefix("   ") for line in content.splitlines()) + "\n"
    assert yaml.safe_load(text)["trainer"] == {"epochs": 10}
    (root / "conf" / "experiment" / "cnn_small.yaml").write_text(text)
    params = (root / "params.yaml").read_text()
    (root / "params.yaml").write_text(
        params.replace("  rnn_digits: digits\n", "  rnn_digits: digits\n  cnn_small: digits\n")
    )
    printed = quick_shell(root, "make repro EXPERIMENT=cnn_small")
    assert re.findall(r"Running stage '(.*)'", printed) == ["configure", "train@cnn_small", "evaluate@cnn_small"]
    assert re.search(r"^cnn_small .* champion +1 ", printed, re.MULTILINE)
    # renamed: trained again under the new name; what stands under the old one in the registry stays
    (root / "conf" / "experiment" / "cnn_small.yaml").rename(root / "conf" / "experiment" / "cnn_tiny.yaml")
    (root / "params.yaml").write_text((root / "params.yaml").read_text().replace("cnn_small", "cnn_tiny"))
    printed = quick_shell(root, "make repro EXPERIMENT=cnn_tiny")
    assert re.findall(r"Running stage '(.*)'", printed) == ["configure", "train@cnn_tiny", "evaluate@cnn_tiny"]
    assert not (root / "build" / "train" / "cnn_small").exists()
    # removed
    (root / "params.yaml").write_text(params)
    printed = quick_shell(root, "make repro")
    assert re.findall(r"Running stage '(.*)'", printed) == ["configure", "register"]
    assert not list((root / "build").glob("*/cnn_*y"))
    from pipeline.layout import Layout
    from pipeline.tracking.store import Store

    client = Store(Layout(root)).client
    assert (
        client.get_model_version_by_alias("cnn_small", "champion").version
        == client.get_model_version_by_alias("cnn_tiny", "champion").version
    )
    # one of them removes what stands in the registry under the old name
    run_python_blocks(root)


def run_python_blocks(root: Path) -> None:
    """Every Python block of the pages, as a program of its own in the clone."""
    images = "import numpy as np\nimages = np.zeros((2, 8, 8, 1), np.float32)\n"
    env = environment() | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    programs = [content for page in PAGES for language, content in blocks(page) if language == "python"]
    assert len(programs) >= 3
    for program in programs:
        done = subprocess.run(
            [sys.executable, "-c", images + program], cwd=root, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, program + done.stderr


def test_quoted_lines_of_code_are_there() -> None:
    rows = re.findall(
        r"^\|[^|]*\| (\S+\.(?:py|md)) \| `([^`]+)`", (ROOT / "docs" / "families.md").read_text(), re.MULTILINE
    )
    assert len(rows) > 12
    for name, line in rows:
        assert line in (ROOT / name).read_text(), f"docs/families.md quotes a line that is not in {name}: {line}"


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)", (ROOT / page).read_text()):
        if not target.startswith(("http:", "https:")):
            assert os.path.exists((ROOT / page).parent / target), f"{page}: {target}"


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) < 200
