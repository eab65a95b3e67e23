"""A contract names all that breaks it, whatever the batches."""

from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from pipeline.compose import typed
from pipeline.config import PrepareConfig, SplitConfig
from pipeline.config.contract import ContractConfig, RowsConfig, RuleConfig
from pipeline.data import collected
from pipeline.data.writing import write_prepared
from pipeline.errors import ConfigError, SeveralErrors
from pipeline.hydra_errors import explain
from tests.unit.data.test_table_source import dataset

CONTRACT = ContractConfig(
    RowsConfig(min=100, min_per_class=35),
    {
        "x": RuleConfig(min=2, max=57, unique=True),
        "kind": RuleConfig(values=["a", "c"], pattern="^[a-z]$", max_length=1, max_missing=0.01),
        "y": RuleConfig(values=["p", "q"]),
    },
)
BROKEN = [
    "column 'x': 2 values are less than 2 (row 1: '0.5'; row 2: '1.5').",
    "column 'x': 2 values are greater than 57 (row 59: '58.5'; row 60: '59.5').",
    "column 'x': 2 values are not unique (row 10: '9.5'; row 11: '9.5').",
    "column 'kind': 29 values are none of a, c (row 2: 'b'; row 4: 'b'; row 6: 'b'; row 8: 'b'; row 10: 'b'; "
    "row 12: 'b'; row 14: 'b'; row 16: 'b'; row 18: 'b'; row 20: 'b'; ...; all of them: build/refused/tabled.csv).",
    "column 'kind': 1 value is not as the pattern ^[a-z]$ (row 60: 'bb').",
    "column 'kind': 1 value is longer than 1 characters (row 60: 'bb').",
    "column 'kind': 1 of 60 values are missing, more than 1.00% (row 58).",
    "60 rows, expected 100 or more.",
    "class 'p' has 30 rows, expected 35 or more.",
    "class 'q' has 30 rows, expected 35 or more.",
]

KIND: dict[str, Any] = {"kind": "category"}


def prepare(root: Path, contract: ContractConfig, **more: Any) -> None:
    lines = [f"{9 if i == 10 else i}.5,{'ab'[i % 2]},{'pq'[i // 2 % 2]}" for i in range(60)]
    lines[57], lines[59] = "57,NA,p", "59.5,bb,q"
    (root / "t.csv").write_text("\n".join(["x,kind,y", *lines]) + "\n")
    (root / "prepared").mkdir()
    settings: dict[str, Any] = {"task": "binary", "leakage": "accept", "missing": ["NA"], "contract": contract} | more
    write_prepared(PrepareConfig(SplitConfig(1, 0.3, 0.3), dataset(**settings)), root / "prepared", root)


@pytest.mark.parametrize("size", [7, 1000])
def test_all_that_breaks_a_contract_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(collected, "chunk_rows", lambda storages: size)
    with pytest.raises(SeveralErrors) as caught:
        prepare(tmp_path, CONTRACT)
    told = [str(error).removeprefix("dataset tabled breaks its contract: ") for error in caught.value.errors]
    assert sorted(told) == sorted(BROKEN)


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        (
            {"knid": RuleConfig(min=1)},
            "no feature, target or column with a role (x, kind, y). Did you mean 'kind'?",
        ),
        ({"kind": RuleConfig(min=1)}, "contract.columns.kind: min is not for a column of type category."),
        ({"kind": RuleConfig(pattern="(")}, "contract.columns.kind.pattern: found '(' ("),
    ],
)
def test_a_contract_that_does_not_fit_the_columns_is_refused(
    tmp_path: Path, columns: dict[str, RuleConfig], told: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        prepare(tmp_path, ContractConfig(columns=columns))
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "columns: {sex: {mni: 1}}",
            "'mni' is not a field of rule (min, max, values, pattern, max_length, unique, ",
        ),
        ("rows: {mim: 1}", "'mim' is not a field of rows (min, min_per_class). Did you mean 'min'?"),
        ("columns: {sex: {min: 2, max: 1}}", "dataset.contract.columns.sex.max: found 1.0, expected no less than min"),
        ("columns: {sex: {values: []}}", "dataset.contract.columns.sex.values: found [], expected one value or more"),
        ("columns: {sex: {min: .nan}}", "dataset.contract.columns.sex.min: found nan, expected a finite number"),
        ("columns: {sex: {max_missing: 2}}", "dataset.contract.columns.sex.max_missing: found 2.0, expected a share"),
    ],
)
def test_a_contract_is_typed(text: str, told: str) -> None:
    with pytest.raises((ConfigError, OmegaConfBaseException)) as caught:
        typed(OmegaConf.merge(OmegaConf.structured(ContractConfig), OmegaConf.create(text)), "")
    assert told in str(explain(caught.value))


def test_a_declared_class_without_rows_is_counted(tmp_path: Path) -> None:
    target = {"type": "category", "values": ["p", "q", "r"]}
    columns: dict[str, Any] = {"x": "number", "kind": "category", "y": target}
    with pytest.raises(SeveralErrors) as caught:
        prepare(tmp_path, ContractConfig(RowsConfig(min_per_class=5)), columns=columns, task="multiclass")
    assert [str(error) for error in caught.value.errors] == [
        "dataset tabled breaks its contract: class 'r' has 0 rows, expected 5 or more."
    ]


def test_classes_are_counted_only_where_there_are_some(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"min_per_class: found 5, expected nothing, as task regression has no"):
        prepare(tmp_path, ContractConfig(RowsConfig(min_per_class=5)), task="regression", target="x", columns=KIND)


def test_limits_are_told_with_all_digits_and_names_of_ours_are_not(tmp_path: Path) -> None:
    with pytest.raises(SeveralErrors) as caught:
        prepare(tmp_path, ContractConfig(columns={"x": RuleConfig(min=1234567.5)}))
    assert "60 values are less than 1234567.5 (" in str(caught.value.errors[0])
    (tmp_path / "prepared").rmdir()
    files = {"test_path": "t.csv", "split": "given", "path": "u.csv"}
    (tmp_path / "u.csv").write_bytes((tmp_path / "t.csv").read_bytes())
    with pytest.raises(ConfigError, match=r"role \(x, kind, y\)\."):
        prepare(tmp_path, ContractConfig(columns={"z": RuleConfig(min=1)}), **files)
