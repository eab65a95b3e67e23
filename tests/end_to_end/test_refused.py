"""Commands and configurations that are refused: the exact line, exit code 2, outputs and registry as they were (the
fixture `unchanged`)."""

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clones import MAKE, ROOT, clone, environment
from tests.conftest import Run
from tests.refusals import content, line_of

CNN, LINEAR = "experiment=cnn_digits", "experiment=linear_diabetes"
EXPERIMENTS, DATASETS = (
    ", ".join(sorted(path.stem for path in (ROOT / "conf" / group).glob("*.yaml")))
    for group in ("experiment", "dataset")
)


PREDICT_USAGE = (
    "Usage: model=... input=... output=... [separator=...] [header=...] [encoding=...] [quote=...] [newlines=...] "
    "[format=...] [on_bad_row=...]"
)
COMMANDS = {
    "experiment": (
        ("train", "experiment=cnn_digit"),
        f"experiment: 'cnn_digit' is unknown ({EXPERIMENTS}). Did you mean 'cnn_digits'?",
    ),
    "experiment of evaluate": (
        ("evaluate", "experiment=cnn_digit"),
        f"experiment: 'cnn_digit' is unknown ({EXPERIMENTS}). Did you mean 'cnn_digits'?",
    ),
    "experiment of register": (
        ("register", "experiment=cnn_digit"),
        "params.yaml: 'cnn_digit' is not in experiments (linear_diabetes, logistic_breast_cancer, logistic_digits, "
        "cnn_digits, rnn_digits, rnn_reviews, cnn_spoken_digits, cnn_splice). Did you mean 'cnn_digits'?",
    ),
    "no experiment": (
        ("train",),
        "You must specify 'experiment', e.g, experiment=<OPTION> Available options: " + EXPERIMENTS.replace(",", ""),
    ),
    "dataset": (
        ("prepare", "dataset=digitz"),
        f"dataset: 'digitz' is unknown ({DATASETS}). Did you mean 'digits'?",
    ),
    "family": (
        ("train", CNN, "model=cnm"),
        "model: 'cnm' is unknown (cnn, linear, logistic, mlp, rnn). Did you mean 'cnn'?",
    ),
    "key": (
        ("train", CNN, "model.filtres=8"),
        "'filtres' is not a field of cnn (family, l2, filters, kernel, pool_every, readout, batch_norm, "
        "batch_norm_momentum, dropout, embedding). Did you mean 'filters'?",
    ),
    "type": (
        ("train", CNN, "model.pool_every=abc"),
        "model.pool_every: Value 'abc' of type 'str' could not be converted to Integer",
    ),
    "range": (("train", CNN, "trainer.epochs=0"), "trainer.epochs: found 0, expected 1 or more."),
    "fraction": (
        ("train", CNN, "split.test=1.2"),
        "params.yaml: split.test: found 1.2, expected a fraction between 0 and 1.",
    ),
    "fractions": (
        ("train", CNN, "split.test=0.75", "split.validation=0.5"),
        "params.yaml: split.test + split.validation: found 1.25, expected less than 1.",
    ),
    "pair": (
        ("train", CNN, "dataset=diabetes"),
        "model cnn takes tokens or letters or sequence or grid features, but dataset diabetes (number) gives a vector. "
        "Choose one of: linear, mlp.",
    ),
    "task": (
        ("train", LINEAR, "dataset=digits"),
        "model linear answers regression, but dataset digits asks for multiclass. Choose one of: logistic, mlp, cnn, "
        "rnn.",
    ),
    "trainer": (
        ("train", CNN, "trainer=exact"),
        "trainer exact solves linear and logistic models, found cnn. Use trainer=compiled or keras.",
    ),
    "argument": (
        ("train", CNN, "trainer.epochs"),
        "Error parsing override 'trainer.epochs' missing EQUAL at '<EOF>' See "
        "https://hydra.cc/docs/1.2/advanced/override_grammar/basic for details",
    ),
    "arguments of predict": (
        ("predict", "model=cnn_digits"),
        f"input, output missing. {PREDICT_USAGE}",
    ),
    "argument of predict": (
        ("predict", "modle=cnn_digits"),
        "'modle' is unknown (model, input, output, separator, header, encoding, quote, newlines, format, on_bad_row). "
        f"Did you mean 'model'? {PREDICT_USAGE}",
    ),
    "prepare swept": (
        ("prepare", "-m", "dataset=line,diabetes"),
        "-m (multirun) is for pipeline.train. Give this command one choice at a time.",
    ),
    "evaluate swept": (
        ("evaluate", "-m", "experiment=cnn_digits,rnn_digits"),
        "-m (multirun) is for pipeline.train. Give this command one choice at a time.",
    ),
    "classes of a number": (
        ("prepare", "dataset=diabetes", "dataset.task=multiclass"),
        "dataset diabetes: target 'target' is a number and has no classes, as task multiclass needs. Set task: "
        "regression.",
    ),
    "two of ten classes": (
        ("prepare", "dataset=digits", "dataset.task=binary"),
        "dataset digits: found 10 classes (0, 1, 2, 3, 4, 5, 6, 7, 8, 9), expected two for task binary. Set task: "
        "multiclass.",
    ),
    "class weights of a number": (
        ("train", LINEAR, "trainer.class_weight=balanced"),
        "trainer.class_weight=balanced is for classes, but dataset diabetes asks for regression. Set it to none.",
    ),
    "instructions of a precision": (
        ("train", CNN, "trainer.precision=mixed_bfloat16", "trainer.instruction_set=avx2"),
        "trainer.precision=mixed_bfloat16 takes the processor's own instructions, found trainer.instruction_set=avx2. "
        "Leave that at auto, or set native.",
    ),
    "TF_CONFIG": (
        ("train", CNN, "trainer.strategy=multi_worker"),
        "trainer.strategy=multi_worker: TF_CONFIG is '', expected JSON such as "
        '{"cluster": {"worker": ["host0:2222", "host1:2222"]}, "task": {"type": "worker", "index": 0}}, '
        "its task one of the cluster's and of type worker or chief.",
    ),
}


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(("command", "expected"), COMMANDS.values(), ids=COMMANDS)
def test_a_command(command: tuple[str, ...], expected: str, checkout: Path, pipeline: Run) -> None:
    before = sorted(path.name for path in checkout.iterdir())
    assert line_of(pipeline(*command, MLFLOW_TRACKING_URI="")) == f"error: {expected}"
    assert sorted(path.name for path in checkout.iterdir()) == before


PARAMS = {
    "duplicate experiment": (
        "  cnn_digits: digits\n",
        "  cnn_digits: digits\n  cnn_digits: digits\n",
        "params.yaml line 23: 'cnn_digits' stands twice. Keep one of them.",
    ),
    "dataset": (
        "cnn_digits: digits\n",
        "cnn_digits: digitz\n",
        "params.yaml: experiment cnn_digits uses 'digitz', which is not in datasets (diabetes, breast_cancer, digits, "
        "reviews_synthetic, spoken_digits_synthetic, splice_synthetic). Did you mean 'digits'?",
    ),
    "other dataset": (
        "cnn_digits: digits\n",
        "cnn_digits: diabetes\n",
        "params.yaml maps experiment cnn_digits to dataset 'diabetes', but conf/experiment/cnn_digits.yaml chooses "
        "'digits'. Make them agree.",
    ),
    "experiment": (
        "cnn_digits: digits\n",
        "cnn_digitz: digits\n",
        "params.yaml: promotion.minima names 'cnn_digits', which is not in experiments (linear_diabetes, "
        "logistic_breast_cancer, logistic_digits, cnn_digitz, rnn_digits, rnn_reviews, cnn_spoken_digits, "
        "cnn_splice). Did you mean 'rnn_digits'?",
    ),
    "fraction": (
        "test: 0.2",
        "test: 1.2",
        "params.yaml: split.test: found 1.2, expected a fraction between 0 and 1.",
    ),
    "type": (
        "seed: 1\n",
        "seed: one\n",
        "params.yaml: seed: Value 'one' of type 'str' could not be converted to Integer",
    ),
}


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(("old", "new", "expected"), PARAMS.values(), ids=PARAMS)
def test_params(old: str, new: str, expected: str, pipeline: Run, edit: Callable[[str, str, str], None]) -> None:
    edit("params.yaml", old, new)
    assert line_of(pipeline("configure")) == f"error: {expected}"


@pytest.mark.usefixtures("unchanged")
def test_params_that_are_empty(checkout: Path, pipeline: Run) -> None:
    (checkout / "params.yaml").write_text("")
    assert line_of(pipeline("configure")) == (
        f"error: {checkout}/params.yaml: found NoneType, expected a mapping of keys to values."
    )


@pytest.mark.usefixtures("unchanged")
def test_a_model_to_predict_with(pipeline: Run, tmp_path: Path) -> None:
    rows, out, other = tmp_path / "rows.csv", tmp_path / "out.parquet", tmp_path / "other.keras"
    rows.write_text("x,y\n1,2\n")
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("config.json", "{}")
    for path, what in (
        ("nothing.keras", "not found, expected a model file (.keras)."),
        (rows, "not a readable Keras model (cut off, or of another kind). Train it again."),
        (
            other,
            "found no schema.json in it (\"There is no item named 'schema.json' in the archive\"), expected a model of "
            "this pipeline.",
        ),
    ):
        done = pipeline("predict", f"model={path}", f"input={rows}", f"output={out}")
        assert line_of(done) == f"error: {path}: {what}"
    assert not out.exists()


def test_outside_of_a_checkout() -> None:
    command = [sys.executable, "-m", "pipeline.train", CNN]
    done = subprocess.run(command, cwd="/", env=environment(), capture_output=True, text=True, check=False)
    assert line_of(done) == "error: /: no dvc.yaml here or above. Run this inside a checkout of the pipeline."


def test_outside_of_git(tmp_path: Path) -> None:
    tree = clone(tmp_path / "unpacked")
    shutil.rmtree(tree / ".git")
    command = [*MAKE, "repro"]
    done = subprocess.run(command, cwd=tree, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == (
        f"error: {tree} is no git checkout, which DVC needs. Clone the repository, or run: git init"
    )
    assert sorted(content(tree)) == [], "nothing was made"
