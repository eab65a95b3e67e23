"""`dvc repro` reruns exactly what an edit touches. Real DVC, real stages, short trainings (quick_python.py)."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clones import EXPERIMENTS, copy

Shell = Callable[[Path, str], str]
STAGE = re.compile(r"Running stage '([^']+)'")
# two that train in a second, of another family and dataset each
EVALUATE = ["evaluate@linear_diabetes", "evaluate@logistic_digits"]
DATASETS = ("diabetes", "breast_cancer", "digits")


@pytest.mark.slow
def test_an_edit_reruns_what_it_touches(reproduced: Path, tmp_path: Path, quick_shell: Shell) -> None:
    root = copy(reproduced, tmp_path / "clone")

    def repro() -> set[str]:
        return set(STAGE.findall(quick_shell(root, f"dvc repro {' '.join(EVALUATE)}")))

    def edit(name: str, old: str, new: str) -> None:
        text = (root / name).read_text()
        assert old in text
        (root / name).write_text(text.replace(old, new, 1))

    assert repro() == set(), "nothing to do"

    edit("conf/experiment/logistic_digits.yaml", "trainer:", "# a comment\ntrainer:")
    edit("conf/dataset/digits.yaml", "loader: digits\nimages: true", "images: true\nloader: digits")
    assert repro() == {"configure"}, "a comment, and another order of keys"

    edit("conf/model/logistic.yaml", "  - logistic_schema\n", "  - logistic_schema\n\nl2: 0.001\n")
    assert repro() == {"configure", "train@logistic_digits", "evaluate@logistic_digits"}, "the family's YAML"

    def add(name: str, text: str) -> None:
        with (root / "src" / "pipeline" / name).open("a") as stream:
            stream.write(f"\n{text}\n")

    add("evaluation/intervals.py", "# a comment")
    add("doctor.py", "CHANGED = 1")
    assert repro() == {"configure"}, "a comment in code, and code of no stage"

    add("evaluation/intervals.py", "CHANGED = 1")
    assert repro() == {"configure", *EVALUATE}, "code of evaluation"

    add("model/families/logistic.py", "CHANGED = 1")
    assert repro() == {"configure", "train@logistic_digits", "evaluate@logistic_digits"}, "code of the family"

    edit("params.yaml", "seed: 1\nsplit", "seed: 2\nsplit")
    assert repro() == {"configure", "train@logistic_digits", "train@linear_diabetes", *EVALUATE}, "the training seed"


# In src/pipeline/, what is replaced ("": the end) by what: each place that names a family, trainer, source, input,
# task or callback of one's own; a source and a trainer that no experiment uses, and code of no stage; a comment in what
# all run.
EDITS_OF_NOTHING_THAT_RUNS = (
    ("model/families/__init__.py", "import cnn, linear", "import cnn, own, linear"),
    ("model/families/__init__.py", "= {", '= {\n    "own": own.FAMILY,'),
    (
        "model/families/own.py",
        "",
        "from pipeline.config import ModelConfig\nfrom pipeline.model.families.family import Family\n\n"
        "FAMILY = Family(ModelConfig, print, (), ())\n",
    ),
    ("training/__init__.py", "import compiled, exact", "import compiled, own, exact"),
    ("training/__init__.py", "= {", '= {"own": own.TRAINER, '),
    (
        "training/own.py",
        "",
        "from pipeline.config import TrainerConfig\nfrom pipeline.training.trainer import Trainer\n\n"
        "TRAINER = Trainer(TrainerConfig, print)\n",
    ),
    ("data/sources/__init__.py", "    fasta,\n", "    fasta,\n    own,\n"),
    ("data/sources/__init__.py", "= {", '= {"own": own.SOURCE, '),
    (
        "data/sources/own.py",
        "",
        "from pipeline.config import DatasetConfig\nfrom pipeline.data.sources.source import Source\n\n"
        "SOURCE = Source(DatasetConfig, print, print, print)\n",
    ),
    (
        "model/inputs/__init__.py",
        "from pipeline.model.inputs.boolean",
        "from pipeline.model.inputs.own import Own\nfrom pipeline.model.inputs.boolean",
    ),
    ("model/inputs/__init__.py", "= {", '= {"own": Own(), '),
    (
        "model/inputs/own.py",
        "",
        "from pipeline.model.inputs.text import TextInput\n\n\nclass Own(TextInput):\n    own = 1\n",
    ),
    (
        "data/types/__init__.py",
        "from pipeline.data.types.boolean",
        "from pipeline.data.types.own import Own\nfrom pipeline.data.types.boolean",
    ),
    ("data/types/__init__.py", "= {", '= {"own": Own(), '),
    (
        "data/types/own.py",
        "",
        "from pipeline.data.types.text import Text\n\n\nclass Own(Text):\n    expected = 'own'\n",
    ),
    (
        "tasks/__init__.py",
        "from pipeline.tasks.binary",
        "from pipeline.tasks.own import Own\nfrom pipeline.tasks.binary",
    ),
    ("tasks/__init__.py", "= {", '= {"own": Own(), '),
    ("tasks/own.py", "", "from pipeline.tasks.binary import Binary\n\n\nclass Own(Binary):\n    name = 'own'\n"),
    ("training/callbacks.py", '{"reduce_on_plateau"', '{"own": print, "reduce_on_plateau"'),
    ("data/sources/inline.py", "", "CHANGED = 1\n"),
    ("training/exact.py", "", "CHANGED = 1\n"),
    ("doctor.py", "", "CHANGED = 1\n"),
    ("model/assembly.py", "    import keras\n", "    import keras\n\n    # a comment\n"),
)


@pytest.mark.slow
def test_an_edit_of_code_touches_what_can_reach_it(reproduced: Path, tmp_path: Path, quick_shell: Shell) -> None:
    root = copy(reproduced, tmp_path / "clone")

    def touched(*edits: tuple[str, str, str]) -> set[str]:
        """The stages that these edits of src/pipeline/ would run again, by DVC's account once `configure` has run."""
        for name, old, new in edits:
            path = root / "src" / "pipeline" / name
            text = path.read_text() if path.exists() else ""
            assert old in text
            path.write_text(text.replace(old, new, 1) if old else text + new)
        quick_shell(root, "dvc repro configure")
        found = set(json.loads(quick_shell(root, "dvc status --json")))
        quick_shell(root, "git checkout -q src && git clean -qfd src")
        return found

    def changed(name: str) -> tuple[str, str, str]:
        return (name, "", "CHANGED = 1\n")

    trains = {f"train@{name}" for name in EXPERIMENTS}
    # register trains nothing, and knows the scores of every task
    assert touched(*EDITS_OF_NOTHING_THAT_RUNS) == {"register"}, "new members, what is not chosen, a comment"
    assert touched(changed("model/families/cnn.py")) == {"train@cnn_digits"}
    assert touched(changed("model/assembly.py")) == trains, "what all share"
    task = {"prepare@diabetes", "train@linear_diabetes", "evaluate@linear_diabetes"}
    assert touched(changed("tasks/regression.py")) == {*task, "register"}
    assert touched(changed("tasks/scores/regression.py")) == {"evaluate@linear_diabetes", "register"}
    assert touched(changed("data/sources/sklearn.py")) == {f"prepare@{name}" for name in DATASETS}

    experiment = root / "conf" / "experiment" / "linear_diabetes.yaml"
    experiment.write_text(experiment.read_text().replace("defaults:\n", "defaults:\n  - override /trainer: exact\n"))
    quick_shell(root, "dvc repro train@linear_diabetes")
    left = {"evaluate@linear_diabetes", "register"}  # what comes after it
    assert touched(changed("training/exact.py")) == {"train@linear_diabetes", *left}
    assert touched(changed("training/compiled.py")) == {*trains - {"train@linear_diabetes"}, *left}
