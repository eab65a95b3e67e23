"""`dvc repro` reruns exactly what an edit touches. Real DVC, real stages, short trainings."""

import re
from pathlib import Path

import pytest

from tests.clones import ROOT, copy, shell

STAGE = re.compile(r"Running stage '([^']+)'")
EVALUATE = ["evaluate@cnn_digits", "evaluate@linear_diabetes"]


@pytest.mark.slow
def test_an_edit_reruns_what_it_touches(reproduced: Path, tmp_path: Path) -> None:
    root = copy(reproduced, tmp_path / "clone")

    def repro() -> set[str]:
        return set(STAGE.findall(shell(root, f"dvc repro {' '.join(EVALUATE)}")))

    def edit(name: str, old: str, new: str) -> None:
        text = (root / name).read_text()
        assert old in text
        (root / name).write_text(text.replace(old, new, 1))

    assert repro() == set(), "nothing to do"

    edit("conf/experiment/cnn_digits.yaml", "trainer:", "# a comment\ntrainer:")
    assert repro() == {"configure"}, "a comment"

    edit("conf/dataset/digits.yaml", "loader: digits\nmodality: image", "modality: image\nloader: digits")
    assert repro() == {"configure"}, "another order of keys"

    edit("conf/model/cnn.yaml", "  - cnn_schema\n", "  - cnn_schema\n\nkernel: 5\n")
    assert repro() == {"configure", "train@cnn_digits", "evaluate@cnn_digits"}, "the CNN's YAML"

    with (root / "src/pipeline/evaluation/__init__.py").open("a") as stream:
        stream.write("\n# a change in evaluation\n")
    assert repro() == {"configure", *EVALUATE}, "code of evaluation"

    with (root / "src/pipeline/doctor.py").open("a") as stream:
        stream.write("\n# a change in what no stage runs\n")
    assert repro() == {"configure"}, "code of no stage"

    edit("params.yaml", "seed: 1\nsplit", "seed: 2\nsplit")
    assert repro() == {"configure", "train@cnn_digits", "train@linear_diabetes", *EVALUATE}, "the training seed"


def test_a_stage_depends_on_all_the_code_it_runs() -> None:
    """Each stage's digest covers what its command imports, so that no edit of code goes unnoticed."""
    import grimp

    from pipeline.stages import CODE

    graph = grimp.build_graph("pipeline", cache_dir=None)
    # they touch no output: the configuration reaches a stage as resolved values, and tracking follows a run
    for name in ("cli", "compose", "config", "layout", "locks", "stages", "tracking"):
        for module in {f"pipeline.{name}", *graph.find_descendants(f"pipeline.{name}")}:
            graph.remove_module(module)
    for stage in ("prepare", "train", "evaluate"):
        packages = tuple(f"pipeline.{name.removesuffix('.py')}" for name in CODE[stage])
        for module in graph.find_upstream_modules(f"pipeline.{stage}"):
            assert module.startswith(packages), f"stage {stage} runs {module}, which pipeline/stages.py does not name"


def test_every_name_of_code_is_there() -> None:
    from pipeline.stages import CODE

    assert all((ROOT / "src" / "pipeline" / name).exists() for names in CODE.values() for name in names)
