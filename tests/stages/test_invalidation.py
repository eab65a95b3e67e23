"""`dvc repro` reruns exactly what an edit touches. Real DVC, real stages, short trainings."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import Run

STAGE = re.compile(r"Running stage '([^']+)'")
EVALUATE = ["evaluate@cnn_digits", "evaluate@linear_diabetes"]


def ran(done: subprocess.CompletedProcess[str]) -> set[str]:
    assert done.returncode == 0, done.stdout + done.stderr
    return set(STAGE.findall(done.stdout))


@pytest.fixture
def reproduced(checkout: Path, run: Run, edit) -> Path:
    """A checkout with two experiments of one epoch, reproduced up to evaluate."""
    for name in ("rnn_digits: digits", "logistic_digits: digits", "logistic_breast_cancer: breast_cancer"):
        edit("params.yaml", f"  {name}\n", "")
    edit("params.yaml", "  - breast_cancer\n", "")
    for name in ("rnn_digits", "logistic_digits", "logistic_breast_cancer"):
        text = (checkout / "params.yaml").read_text()
        (checkout / "params.yaml").write_text(re.sub(rf"    {name}: .*\n", "", text))
    edit("conf/experiment/cnn_digits.yaml", "epochs: 40", "epochs: 1")
    edit("conf/experiment/linear_diabetes.yaml", "epochs: 200", "epochs: 1")
    assert ran(run("dvc", "repro", *EVALUATE)) == {
        "configure",
        *(f"{stage}@{dataset}" for stage in ("prepare",) for dataset in ("diabetes", "digits")),
        *(f"{stage}@{name}" for stage in ("train", "evaluate") for name in ("cnn_digits", "linear_diabetes")),
    }
    return checkout


@pytest.mark.slow
def test_an_edit_reruns_what_it_touches(reproduced: Path, run: Run, edit) -> None:
    def repro() -> set[str]:
        return ran(run("dvc", "repro", *EVALUATE))

    assert repro() == set(), "nothing to do"

    edit("conf/experiment/cnn_digits.yaml", "trainer:", "# a comment\ntrainer:")
    assert repro() == {"configure"}, "a comment"

    text = (reproduced / "conf/dataset/digits.yaml").read_text()
    edit("conf/dataset/digits.yaml", "loader: digits\nmodality: image", "modality: image\nloader: digits")
    assert (reproduced / "conf/dataset/digits.yaml").read_text() != text
    assert repro() == {"configure"}, "another order of keys"

    edit("conf/model/cnn.yaml", "  - cnn_schema\n", "  - cnn_schema\n\nkernel: 5\n")
    assert repro() == {"configure", "train@cnn_digits", "evaluate@cnn_digits"}, "the CNN's YAML"

    with (reproduced / "src/pipeline/evaluation/__init__.py").open("a") as stream:
        stream.write("\n# a change in evaluation\n")
    assert repro() == set(EVALUATE), "code of evaluation"

    edit("params.yaml", "seed: 1\nsplit", "seed: 2\nsplit")
    assert repro() == {"configure", "train@cnn_digits", "train@linear_diabetes", *EVALUATE}, "the training seed"


def test_a_stage_depends_on_all_the_code_it_runs() -> None:
    """Each stage's deps cover what its command imports, so that no edit of code goes unnoticed."""
    import grimp
    import yaml

    from tests.conftest import ROOT

    graph = grimp.build_graph("pipeline", cache_dir=None)
    # they touch no output: the configuration reaches a stage as resolved values, and tracking follows a run
    for name in ("cli", "compose", "config", "layout", "locks", "tracking"):
        for module in {f"pipeline.{name}", *graph.find_descendants(f"pipeline.{name}")}:
            graph.remove_module(module)
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    for name in ("prepare", "train", "evaluate"):
        deps = [dep for dep in stages[name]["do"]["deps"] if dep.startswith("src/")]
        packages = tuple(dep.removeprefix("src/").removesuffix(".py").replace("/", ".") for dep in deps)
        for module in graph.find_upstream_modules(f"pipeline.{name}"):
            assert module.startswith(packages), f"stage {name} runs {module}, which dvc.yaml does not name"
