"""Whatever a key or value is called, MLflow takes it, and two of them stay two."""

import pytest
from mlflow.utils.validation import _validate_param, _validate_tag

from pipeline.tracking.names import PARAM_LENGTH, TAG_LENGTH, cut, key, model_name, swept_key

ODD = [
    "a b",
    "'",
    '"',
    "%2F",
    "?",
    "#",
    "&",
    "=",
    ",",
    "[0]",
    "\\",
    "\n",
    "Ü",
    "文",
    "😀",
    "-lead",
    "x" * 300,
    "..",
    "a//b",
    "",
]


@pytest.mark.parametrize("text", ODD)
def test_a_key_is_taken(text: str) -> None:
    _validate_param(key(text), "1")
    _validate_tag(key(text), "1")


def test_what_mlflow_takes_stays_as_it_is() -> None:
    for text in ("trainer.epochs", "pipeline.data.train", "a/b-c_d:e f", "Größe"):
        assert key(text) == text


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("trainer.epochs=2", "trainer.epochs"),
        ("++trainer.epochs=2", "trainer.epochs"),
        ("+model.l2=0.1", "model.l2"),
        ("~debug", "debug"),
        ("dataset@other=digits", "dataset"),
        ("hydra/launcher=joblib", "hydra/launcher"),
    ],
)
def test_an_override_goes_by_its_key(override: str, expected: str) -> None:
    assert swept_key(override) == expected


def test_long_values_differ_as_they_did() -> None:
    long = ["x" * 9000 + end for end in "ab"]
    for length in (PARAM_LENGTH, TAG_LENGTH):
        first, second = (cut(text, length) for text in long)
        assert len(first) == len(second) == length
        assert first != second
    assert cut("short", 10) == "short"
    assert key("y" * 300) != key("y" * 301)


def test_an_experiment_in_a_folder_has_a_model() -> None:
    assert model_name("team/small") == "team.small"
