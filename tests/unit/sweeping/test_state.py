"""A worker ends where its checkout changes so that its trials would be of something else."""

import shutil
from pathlib import Path

import pytest

from pipeline.errors import ConfigError
from pipeline.layout import Layout
from pipeline.sweeping.state import State
from tests.clones import ROOT
from tests.unit.sweeping.test_planning import SEARCH, plan_of


@pytest.mark.parametrize(
    ("name", "change", "part"),
    [
        ("src/pipeline/training/fit.py", ("def fit(", "EDITED = True\n\n\ndef fit("), "code"),
        ("src/pipeline/search/samplers.py", ("multivariate=True", "multivariate=False"), "code of the search"),
        (
            "src/pipeline/tasks/scores/regression.py",
            ("import numpy", "EDITED = True\nimport numpy"),
            "code of the search",
        ),
        ("conf/experiment/linear_line.yaml", ("epochs: 1000", "epochs: 999"), "configuration"),
    ],
)
def test_an_edit_ends_a_worker_and_an_experiment_of_somebody_else_does_not(
    name: str, change: tuple[str, str], part: str, tmp_path: Path
) -> None:
    for folder in ("conf", "src"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for file in ("params.yaml", "dvc.yaml", "requirements.lock"):
        (tmp_path / file).symlink_to(ROOT / file)
    layout = Layout(tmp_path)
    plan = plan_of(layout, *SEARCH)
    state = State(layout, plan)
    shutil.copy2(layout.conf / "experiment" / "linear_line.yaml", layout.conf / "experiment" / "mine.yaml")
    state.check()
    edited = tmp_path / name
    edited.write_text(edited.read_text().replace(*change))
    with pytest.raises(ConfigError) as ended:
        state.check()
    assert str(ended.value).startswith(f"{name} has changed while the search runs. sweep {plan.name} was begun with ")
    assert f"other {part} (" in str(ended.value)
