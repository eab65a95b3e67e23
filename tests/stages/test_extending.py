"""docs/code.md adds a source, a type and a family by a diff each. They are applied to a checkout, and used."""

import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.layout import PREDICTIONS
from tests.clones import ROOT, clone, environment
from tests.zygote import Zygote

DIFF = re.compile(r"^```diff\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
EXPERIMENT = """# @package _global_
defaults:
  - override /dataset: {dataset}
  - override /model: {family}

trainer:
  epochs: 2
"""
PRICES = """
defaults: [table_schema]
path: data/raw/prices.csv
task: regression
target: price
columns: {discount: percent}
"""
OF_TYPES = (
    "tests/contracts/test_inputs.py",
    "tests/unit/data/test_page.py",
    "tests/unit/data/test_types.py",
    "tests/unit/test_stages.py",
)


def test_the_three_diffs_of_the_documents(tmp_path: Path, zygote: Zygote) -> None:
    diffs = DIFF.findall((ROOT / "docs" / "code.md").read_text())
    assert len(diffs) == 3, "a source, a type, a family"
    root = clone(tmp_path / "clone")
    subprocess.run(["git", "apply", "-"], cwd=root, input="".join(diffs), text=True, check=True)
    random = np.random.default_rng(0)
    raw = root / "data" / "raw"
    np.savez(raw / "sensors.npz", x=random.normal(size=(60, 3)), y=random.normal(size=60))
    discounts = random.uniform(0, 50, 60)
    prices = 100 - discounts + random.normal(size=60)
    rows = [f"{discount:.1f} %,{price:.2f}" for discount, price in zip(discounts, prices, strict=True)]
    (raw / "prices.csv").write_text("\n".join(["discount,price", *rows, ""]))
    (root / "conf" / "dataset" / "prices.yaml").write_text(PRICES)
    for dataset, family in (("sensors", "maxout"), ("prices", "linear")):
        name = f"{family}_{dataset}"
        text = EXPERIMENT.format(dataset=dataset, family=family)
        (root / "conf" / "experiment" / f"{name}.yaml").write_text(text)
        output = train(zygote, root, name)
        assert np.isfinite(pq.read_table(output / PREDICTIONS)["prediction"].to_numpy()).all()
    # what the type refuses is said in its words
    with (raw / "prices.csv").open("a") as stream:
        stream.write("7,93\n")
    with pytest.raises(AssertionError, match=r"1 value is not a percentage such as 12.5 % \(row 61: '7'\)"):
        train(zygote, root, "linear_prices")
    pass_the_tests_of_types(root)


def pass_the_tests_of_types(root: Path) -> None:
    """A type that is two files, each with its line in a registry, passes the tests that all types have to pass."""
    command = ["python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "percent or names_of or type", *OF_TYPES]
    env = environment() | {"PYTHONPATH": f"{root / 'src'}{os.pathsep}{root}"}
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout


def train(zygote: Zygote, root: Path, experiment: str) -> Path:
    env = environment() | {"PYTHONPATH": str(root / "src")}
    done = zygote.run("pipeline.train", [f"experiment={experiment}", "output=out"], root, env)
    assert done.returncode == 0, done.stderr
    return root / "out"
