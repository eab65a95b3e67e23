"""Configuration: what composes, and the exact words for what does not."""

import shutil
from pathlib import Path

import pytest

from pipeline.compose import as_plain, compose_config, load_params
from pipeline.config import TensorBoardConfig
from pipeline.configure import check_dataset
from pipeline.data.sources import SOURCES
from pipeline.data.sources.table import TableDataset
from pipeline.errors import ConfigError
from pipeline.layout import Layout
from pipeline.matching import check_family
from tests.clones import ROOT


@pytest.fixture(scope="session")
def layout() -> Layout:
    return Layout(ROOT)


def refused(layout: Layout, *overrides: str, config: str = "config") -> str:
    with pytest.raises(ConfigError) as caught:
        compose_config(layout, config, list(overrides))
    return str(caught.value)


def test_experiment_chooses_dataset_model_and_trainer(layout: Layout) -> None:
    config = compose_config(layout, "config", ["experiment=cnn_digits"])
    assert (config.name, config.dataset.name, config.model.family) == ("cnn_digits", "digits", "cnn")
    assert config.seed == load_params(layout).seed


def test_override_wins(layout: Layout) -> None:
    config = compose_config(layout, "config", ["experiment=cnn_digits", "seed=7", "model.filters=[8,16]"])
    assert (config.seed, config.model.filters) == (7, [8, 16])


def test_resolved_config_is_plain_data(layout: Layout) -> None:
    plain = as_plain(compose_config(layout, "config", ["experiment=rnn_digits"]))
    assert plain["model"]["family"] == "rnn"
    assert isinstance(plain["model"]["units"], list)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "model.filtres=[3]",
            "'filtres' is not a field of cnn (family, l2, filters, kernel, pool_every, readout, batch_norm, "
            "batch_norm_momentum, dropout, embedding). "
            "Did you mean 'filters'?",
        ),
        (
            "+model.filtres=[3]",
            "'filtres' is not a field of cnn (family, l2, filters, kernel, pool_every, readout, batch_norm, "
            "batch_norm_momentum, dropout, embedding). "
            "Did you mean 'filters'?",
        ),
        (
            "+trainer.optimizer.rate=1",
            "'rate' is not a field of optimizer (name, learning_rate, momentum, schedule, clip_norm).",
        ),
        ("model.pool_every=abc", "model.pool_every: Value 'abc' of type 'str' could not be converted to Integer"),
        (
            "objective=val_r2",
            "objective: 'val_r2' is unknown (val_loss, val_accuracy, val_balanced_accuracy, val_macro_f1, val_mcc, "
            "val_roc_auc, val_pr_auc, val_log_loss, val_brier, val_calibration_error). Did you mean 'val_brier'?",
        ),
        (
            "trainer.name=exact",
            "trainer.name=exact alone leaves the settings of another trainer. Choose it by trainer=exact.",
        ),
        (
            "trainer.optimizer=adam",
            "trainer.optimizer: found 'adam', expected fields (name, learning_rate, momentum, schedule, clip_norm). "
            "Write trainer.optimizer.name=adam.",
        ),
        (
            "trainer.early_stopping=3",
            "trainer.early_stopping: found 3, expected fields (patience, min_delta).",
        ),
        (
            "sweep.constraints=[parameters <= 1]",
            "found sweep.constraints=[parameters <= 1], in which '<' needs quotes that the shell leaves: "
            "'key=[\"a <= 1\"]'.",
        ),
        ("model.family=rnn", "model.family=rnn alone leaves the settings of another model. Choose it by model=rnn."),
        (
            "dataset.source=inline",
            "dataset.source=inline alone leaves the settings of another dataset. Begin its YAML with defaults: "
            "[inline_schema].",
        ),
        (
            "dataset.source=inlin",
            f"dataset.source: 'inlin' is unknown ({', '.join(SOURCES)}). Did you mean 'inline'?",
        ),
        ("trainer.name=own", "trainer.name: 'own' is unknown (compiled, keras, exact)."),
        ("dataset.split=hsh", "dataset.split: 'hsh' is unknown (hash, time, given, none). Did you mean 'hash'?"),
        ("trainer.epochs=0", "trainer.epochs: found 0, expected 1 or more."),
        ("model.filters=0", "model.filters: found [0], expected a positive width, or a list of them such as [8, 16]."),
        ("model.filters=a", "model.filters: found 'a', expected a positive width, or a list of them such as [8, 16]."),
        ("model.dropout=1.0", "model.dropout: found 1.0, expected a rate of at least 0 and less than 1."),
        ("split.test=1.2", "params.yaml: split.test: found 1.2, expected a fraction between 0 and 1."),
        ("trainer.optimizer.name=adm", "trainer.optimizer.name: 'adm' is unknown (adam, sgd). Did you mean 'adam'?"),
    ],
)
def test_refused_override(layout: Layout, override: str, message: str) -> None:
    assert refused(layout, "experiment=cnn_digits", override) == message


def test_one_width_is_a_list_of_one(layout: Layout) -> None:
    one = compose_config(layout, "config", ["experiment=cnn_digits", "model.filters=8"])
    assert one == compose_config(layout, "config", ["experiment=cnn_digits", "model.filters=[8]"])
    assert compose_config(layout, "config", ["experiment=rnn_digits", "model.units=8"]).model.units == [8]
    assert compose_config(layout, "config", ["experiment=mlp_breast_cancer", "model.layers=8"]).model.layers == [8]


@pytest.mark.parametrize(
    ("override", "found"),
    [("trainer.augmentation.flip=true", "augmentation"), ("+trainer.callbacks.reduce_on_plateau={}", "callbacks")],
)
def test_the_exact_trainer_ignores_nothing(layout: Layout, override: str, found: str) -> None:
    assert refused(layout, "experiment=logistic_digits", "trainer=exact", override) == (
        f"trainer exact has no use for trainer.{found}. Remove it, or use trainer=compiled."
    )


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["experiment=cnn_digits", "trainer=exact"],
            "trainer exact solves linear and logistic models, found cnn. Use trainer=compiled or keras.",
        ),
        (
            ["experiment=cnn_digits", "trainer=keras", "trainer.strategy=mirrored"],
            "trainer.strategy=mirrored needs trainer=compiled, found keras.",
        ),
        (
            ["experiment=cnn_digits", "trainer=keras", "trainer.xla=on"],
            "trainer.xla=on is for trainer=compiled without a strategy, found trainer=keras.",
        ),
        (
            ["experiment=cnn_digits", "trainer.strategy=mirrored", "trainer.xla=on"],
            "trainer.xla=on is for trainer=compiled without a strategy, found trainer.strategy=mirrored.",
        ),
    ],
)
def test_a_trainer_is_not_asked_for_more_than_it_can_do(layout: Layout, overrides: list[str], message: str) -> None:
    assert refused(layout, *overrides) == message


def test_impossible_pair(layout: Layout) -> None:
    assert refused(layout, "experiment=linear_diabetes", "model=rnn") == (
        "model rnn takes tokens or letters or sequence or grid features, but dataset diabetes (number) gives a vector. "
        "Choose one of: linear, mlp."
    )


@pytest.mark.parametrize("columns", [{"a": "text", "b": "number"}, {"a": "text", "b": "text"}], ids=str)
def test_texts_beside_other_columns(columns: dict[str, str]) -> None:
    """Families that take vectors get their bags of words; those that take tokens can have one text only."""
    dataset = TableDataset(name="made", source="table", task="regression", path="rows.csv", target="y", columns=columns)
    for family in ("linear", "mlp"):
        check_family(family, dataset)
    types = ", ".join(columns.values())
    with pytest.raises(ConfigError) as raised:
        check_family("rnn", dataset)
    assert str(raised.value) == (
        f"model rnn does not take columns of the types {types} of dataset made together. Choose one of: linear, mlp."
    )


def test_impossible_task(layout: Layout) -> None:
    assert refused(layout, "experiment=logistic_digits", "model=linear") == (
        "model linear answers regression, but dataset digits asks for multiclass. Choose one of: logistic, mlp, cnn, "
        "rnn."
    )


def test_unknown_experiment_suggests_the_nearest(layout: Layout) -> None:
    known = ", ".join(sorted(path.stem for path in (layout.conf / "experiment").glob("*.yaml")))
    assert refused(layout, "experiment=cnn_digitz") == (
        f"experiment: 'cnn_digitz' is unknown ({known}). Did you mean 'cnn_digits'?"
    )


def test_unknown_key_in_yaml_names_the_file(checkout: Path, edit) -> None:
    edit("conf/model/cnn.yaml", "  - cnn_schema\n", "  - cnn_schema\nfiltres: [3]\n")
    message = refused(Layout(checkout), "experiment=cnn_digits")
    assert message.startswith("model/cnn: 'filtres' is not a field of cnn (")
    assert message.endswith("Did you mean 'filters'?")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "linear_diabetes: diabetes",
            "linear_diabetes: diabetis",
            "params.yaml: experiment linear_diabetes uses 'diabetis', which is not in datasets "
            "(diabetes, breast_cancer, digits, reviews_synthetic, spoken_digits_synthetic, splice_synthetic). "
            "Did you mean 'diabetes'?",
        ),
        ("seed: 1\n", "seed: one\n", "params.yaml: seed: Value 'one' of type 'str' could not be converted to Integer"),
        (
            "  cnn_digits: digits\n",
            "  cnn_digits: digits\n  cnn_digits: digits\n",
            "params.yaml line 23: 'cnn_digits' stands twice. Keep one of them.",
        ),
    ],
)
def test_refused_params(checkout: Path, edit, old: str, new: str, message: str) -> None:
    edit("params.yaml", old, new)
    with pytest.raises(ConfigError) as caught:
        load_params(Layout(checkout))
    assert str(caught.value) == message


def test_experiment_and_params_must_name_one_dataset() -> None:
    with pytest.raises(ConfigError) as caught:
        check_dataset("cnn_digits", "diabetes", {"name": "digits"}, {"name": "diabetes"})
    assert str(caught.value) == (
        "params.yaml maps experiment cnn_digits to dataset 'diabetes', but conf/experiment/cnn_digits.yaml chooses "
        "'digits'. Make them agree."
    )


def test_an_experiment_does_not_change_its_dataset() -> None:
    with pytest.raises(ConfigError, match=r"sets dataset.split to 'none', but dataset digits is prepared with 'hash'"):
        check_dataset("e", "digits", {"name": "digits", "split": "none"}, {"name": "digits", "split": "hash"})


@pytest.mark.parametrize(
    ("histograms", "confusion", "epochs", "expected"),
    [(None, None, 40, (10, 10)), (None, 0, 1000, (50, 0)), (7, None, 201, (7, 11))],
)
def test_looks_at_the_weights_are_spaced(
    histograms: int | None, confusion: int | None, epochs: int, expected: tuple[int, int]
) -> None:
    assert TensorBoardConfig(histograms, confusion).spaced(epochs) == expected


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("columns: {2019: number}", 'dataset/odd: found the key 2019, expected a text. Put it in quotes: "2019"'),
        ("missing: [?]", 'found the key None, expected a text. Put it in quotes: "?"'),
    ],
)
def test_a_text_that_yaml_takes_for_something_else(tmp_path: Path, line: str, found: str) -> None:
    shutil.copytree(ROOT / "conf", tmp_path / "conf")
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy2(ROOT / name, tmp_path / name)
    settings = f"defaults: [table_schema]\nname: odd\npath: t.csv\ntask: regression\ntarget: y\n{line}\n"
    (tmp_path / "conf" / "dataset" / "odd.yaml").write_text(settings)
    with pytest.raises(ConfigError) as caught:
        compose_config(Layout(tmp_path), "prepare", ["dataset=odd"])
    assert str(caught.value) == found
