"""From Hydra's expressions to values, and back to overrides that Hydra reads as the same values."""

import random
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from pipeline.errors import ConfigError
from pipeline.search.parameter import Parameter
from pipeline.search.space import Space, parse_space

VALUES: dict[str, list[Any]] = {
    "choice(adam,sgd)": ["adam", "sgd"],
    "adam, sgd": ["adam", "sgd"],
    "choice([8,16],[16, 32])": [[8, 16], [16, 32]],
    "choice('a, b', \"it's\", 'x=1', a\\,b, 'back\\slash')": ["a, b", "it's", "x=1", "a,b", "back\\slash"],
    "choice('é', '日本', '', ' ', '$x', 'true', 'null', '(')": ["é", "日本", "", " ", "$x", "true", "null", "("],
    "1, '1', 1.0, '1.0'": [1, "1", 1.0, "1.0"],
    "choice(['1', 1], {a: 'null'}, a b)": [["1", 1], {"a": "null"}, "a b"],
    "choice(1, 1.5, true, '1', 1e-3, {a: [1, 'b c']})": [1, 1.5, True, "1", 0.001, {"a": [1, "b c"]}],
    "null, 3": [None, 3],
    "choice(${model.a}, '${model.b}')": ["${model.a}", "${model.b}"],
    "range(1, 5)": [1, 2, 3, 4],
    "range(8, 0, -3)": [2, 5, 8],
    "range(0, 0.8, 0.1)": [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7],
    "range(3, 4)": [3],
    "choice(only)": ["only"],
}


def only(text: str, key: str = "model.x") -> Parameter:
    return parse_space({key: text}).parameters[0]


@pytest.mark.parametrize("text", VALUES)
def test_each_value_is_written_as_hydra_reads_it(text: str) -> None:
    parameter = only(text)
    space = Space((parameter,))
    written = [space.overrides({"model.x": parameter.value(index)})[0] for index in range(parameter.size)]
    read = [OverridesParser.create().parse_override(override).value() for override in written]
    assert read == VALUES[text]
    assert [type(value) for value in read] == [type(value) for value in VALUES[text]]


@pytest.mark.parametrize("text", VALUES)
def test_optuna_gives_the_values_back(text: str) -> None:
    """Its own form of a value, a number or an index, stands for the same text."""
    parameter = only(text)
    for index, written in enumerate(parameter.texts):
        internal = parameter.distribution.to_internal_repr(parameter.value(index))
        assert parameter.distribution._contains(internal)
        assert parameter.text(parameter.distribution.to_external_repr(internal)) == written


@pytest.mark.parametrize(
    ("text", "low", "high", "log", "whole"),
    [
        ("interval(0, 0.5)", 0.0, 0.5, False, False),
        ("interval(-1e3, 1e300)", -1000.0, 1e300, False, False),
        ("tag(log, interval(1e-4, 1e-2))", 1e-4, 1e-2, True, False),
        ("tag(int, interval(1, 8))", 1, 8, False, True),
        ("int(interval(1, 8))", 1, 8, False, True),
        ("tag(int, log, interval(1, 1000))", 1, 1000, True, True),
    ],
)
def test_intervals(text: str, low: float, high: float, log: bool, whole: bool) -> None:
    assert only(text) == Parameter("model.x", low=low, high=high, log=log, whole=whole)


def test_numbers_are_written_to_the_last_digit() -> None:
    chance = random.Random(1)
    interval = only("interval(0, 1)")
    for value in [chance.random() * 10 ** chance.randint(-300, 300) for _ in range(200)]:
        override = f"model.x={interval.text(value)}"
        assert OverridesParser.create().parse_override(override).value() == value
    assert only("tag(int, interval(1, 8))").text(7.0) == "7"


def test_keys_are_written_as_given() -> None:
    space = parse_space({"+model.x": "a,b", "++trainer.y": "1,2", "optimizer@trainer.o": "adam,sgd"})
    assert [each.key for each in space.parameters] == ["model.x", "trainer.y", "optimizer@trainer.o"]
    values = {each.key: each.value(0) for each in space.parameters}
    assert space.overrides(values) == ["+model.x=a", "++trainer.y=1", "optimizer@trainer.o=adam"]


CONDITIONAL = {
    "nesterov": {"when": {"momentum": [0.5, 0.9]}, "of": "true,false"},
    "momentum": {"when": {"optimizer": "sgd"}, "of": "choice(0.0, 0.5, 0.9)"},
    "optimizer": "adam,sgd",
}


def test_conditions() -> None:
    """A key is there where its condition holds, and with it those that it depends on."""
    space = parse_space(CONDITIONAL)
    assert [each.key for each in space.parameters] == ["optimizer", "momentum", "nesterov"]
    assert [" ".join(space.overrides(point)) for point in space.grid_points] == [
        "optimizer=adam",
        "optimizer=sgd momentum=0.0",
        "optimizer=sgd momentum=0.5 nesterov=True",
        "optimizer=sgd momentum=0.5 nesterov=False",
        "optimizer=sgd momentum=0.9 nesterov=True",
        "optimizer=sgd momentum=0.9 nesterov=False",
    ]


def test_a_grid_is_in_hydras_order() -> None:
    space = parse_space({"a": "range(1,3)", "b": "x,y,z"})
    assert [space.overrides(point) for point in space.grid_points] == [
        [f"a={a}", f"b={b}"] for a in (1, 2) for b in ("x", "y", "z")
    ]


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({}, "sweep.space: found nothing to search, expected keys with interval"),
        ({"a": "interval(1, 0)"}, "sweep.space.a: found 'interval(1, 0)', expected the lower end first"),
        ({"a": "interval(1, 1)"}, "sweep.space.a: found 'interval(1, 1)', expected the lower end first"),
        ({"a": "interval(0, inf)"}, "sweep.space.a: found 'interval(0, inf)', expected two finite numbers"),
        ({"a": "interval(0, nan)"}, "sweep.space.a: found 'interval(0, nan)', expected two finite numbers"),
        ({"a": "tag(log, interval(0, 1))"}, "expected a lower end above 0"),
        ({"a": "tag(int, interval(0.5, 3))"}, "expected ends that are whole numbers"),
        ({"a": "tag(lug, interval(1, 2))"}, "sweep.space.a: the tag 'lug' is unknown (log, int). Did you mean 'log'?"),
        ({"a": "tag(log, choice(1, 2))"}, "sweep.space.a: the tag 'log' is for interval(...). Leave it out here."),
        ({"a": "choice()"}, "sweep.space.a: 'choice()' cannot be read (ValueError while evaluating 'choice()'"),
        ({"a": "interval(1,"}, "sweep.space.a: 'interval(1,' cannot be read ("),
        ({"a": "intervall(1, 2)"}, "sweep.space.a: 'intervall(1, 2)' cannot be read ("),
        ({"a": "choice(1, 2, 1)"}, "sweep.space.a: 'choice(1, 2, 1)' holds 1 twice. Keep one of them."),
        ({"a": "choice(x, 'x')"}, "sweep.space.a: 'choice(x, 'x')' holds x twice"),
        ({"a": "choice([1], [1])"}, "holds [1] twice"),
        ({"a": "range(3, 3)"}, "sweep.space.a: 'range(3, 3)' holds no value. The end is not among the values."),
        ({"a": "range(0, 1, 0)"}, "a step that is not 0"),
        ({"a": "range(1000000)"}, "sweep.space.a: 'range(1000000)' holds 1,000,000 values, expected 10,000 at most"),
        ({"a": "glob(*)"}, "sweep.space.a: 'glob(*)' names options by a pattern. Write them out"),
        ({"a": "shuffle(choice(1, 2))"}, "The sampler decides the order; leave out shuffle and sort"),
        ({"a": "tag(log, sort(2, 1))"}, "The sampler decides the order; leave out shuffle and sort"),
        ({"a": "3"}, "sweep.space.a: found '3', expected interval"),
        ({"a": 3}, "sweep.space.a: found 3, expected interval"),
        ({"a": "3"}, "One value alone is an override: a=3"),
        ({"a": [1, 2]}, "sweep.space.a: found [1, 2], expected interval"),
        ({"a": "1,2", "+a": "3,4"}, "sweep.space: 'a' stands twice. Keep one of them."),
        ({"hydra.job.num": "1,2"}, "sweep.space.hydra.job.num: found 'hydra.job.num', expected a key of the exp"),
        ({"sweep.seed": "1,2"}, "sweep.space.sweep.seed: found 'sweep.seed', expected a key of the experiment"),
        ({"~a": "1,2"}, "sweep.space.~a: found '~a', expected a key of the experiment"),
        ({"a b": "1,2"}, "sweep.space.a b: '1,2' cannot be read"),
        ({"a": {"of": "1,2"}}, "sweep.space.a: found of, expected when (another key and its value) and of"),
        ({"a": {"when": {}, "of": "1,2"}}, "expected when (another key and its value) and of"),
        ({"a": {"when": {"bb": 1}, "of": "1,2"}, "b": "1,2"}, "sweep.space.a.when: 'bb' is not searched (b). Did you"),
        ({"a": {"when": {"b": 3}, "of": "1,2"}, "b": "1,2"}, "sweep.space.a.when: '3' is not a value of b (1, 2)"),
        ({"a": {"when": {"b": 3}, "of": "1,2"}, "b": "interval(1,4)"}, "'b' is an interval, expected a choice"),
        (
            {"a": {"when": {"b": 1}, "of": "1,2"}, "b": {"when": {"a": 1}, "of": "1,2"}},
            "sweep.space: a, b depend on each other in a circle",
        ),
    ],
)
def test_what_is_no_space(space: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_space(space)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({"a": "interval(0, 1)"}, "sweep.space.a: an interval has no end of values"),
        (
            {"a": "range(1000)", "b": "range(1000)"},
            "the grid has up to 1,000,000 combinations, expected 10,000 at most",
        ),
    ],
)
def test_what_is_no_grid(space: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        _ = parse_space(space).grid_points
    assert message in str(caught.value)
