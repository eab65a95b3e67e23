"""make doctor: each finding is what it looked at, and a problem says what to do."""

import os
import shutil
import sqlite3
from collections import namedtuple
from importlib.metadata import version
from pathlib import Path

import pytest
import tensorflow as tf

from pipeline import doctor
from pipeline.layout import Layout
from tests.clones import ROOT


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "dvc.yaml").touch()
    return Layout(tmp_path)


def test_this_environment_is_the_lock_files() -> None:
    assert len(doctor.locked(ROOT / "requirements.lock")) > 150
    (found,) = doctor.check_packages(Layout(ROOT))
    assert found.level == doctor.OK


def test_another_version_and_a_missing_package(root: Layout) -> None:
    (root.root / "requirements.lock").write_text(
        f"numpy==1.0 \\\n    --hash=sha256:0\nno-such-package==2.0\nkeras=={version('keras')}\n"
        "pywin32==312 ; sys_platform == 'win32'\n"
    )
    (found,) = doctor.check_packages(root)
    assert found.level == doctor.PROBLEM
    assert found.found == f"numpy {version('numpy')}, locked 1.0; no-such-package none, locked 2.0"
    assert found.meaning.endswith("Run: pip install --require-hashes -r requirements.lock")


def test_a_python_that_the_lock_file_does_not_know(root: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.sys, "version_info", (3, 14, 1))
    (found,) = doctor.check_python(root)
    assert (found.level, found.found) == (doctor.PROBLEM, "3.14.1")


def test_the_store(root: Layout) -> None:
    (found,) = doctor.check_store(root)
    assert (found.level, found.found.endswith("not there yet; the first run makes it")) == (doctor.OK, True)
    (root.root / "mlflow.db").write_bytes(b"no database" * 1000)
    (found,) = doctor.check_store(root)
    assert found.level == doctor.PROBLEM
    assert "no database, or a damaged one. Move that file away" in found.meaning


def test_a_store_of_this_version(root: Layout, empty_database: Path) -> None:
    database = shutil.copy2(empty_database, root.root / "mlflow.db")
    (found,) = doctor.check_store(root)
    expected = f"sqlite:///{database} answers, its schema is MLflow {version('mlflow')}'s, 0 models"
    assert (found.level, found.found) == (doctor.OK, expected)


def test_a_store_of_another_version(root: Layout, empty_database: Path) -> None:
    database = shutil.copy2(empty_database, root.root / "mlflow.db")
    with sqlite3.connect(database) as connection:
        connection.execute("update alembic_version set version_num = '0123456789ab'")
    connection.close()
    (found,) = doctor.check_store(root)
    assert found.level == doctor.PROBLEM
    assert f"its schema is of another version of MLflow. Copy it and run `mlflow db upgrade sqlite:///{database}`" in (
        found.meaning
    )


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose driver lists one GPU."""
    command = tmp_path / "nvidia-smi"
    command.write_text("#!/bin/sh\necho 'GPU 0: NVIDIA A100 (UUID: GPU-1)'\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")


@pytest.mark.usefixtures("driver")
def test_a_gpu_that_tensorflow_cannot_reach(root: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    (found,) = doctor.check_gpu(root)
    assert (found.level, found.found) == (
        doctor.PROBLEM,
        "GPU 0: NVIDIA A100 (UUID: GPU-1), but TensorFlow sees none",
    )
    assert found.meaning.endswith(f"Run: pip install 'tensorflow[and-cuda]=={version('tensorflow')}'")


@pytest.mark.usefixtures("driver")
def test_a_gpu(root: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["GPU:0"])
    (found,) = doctor.check_gpu(root)
    assert (found.level, found.found) == (doctor.OK, "GPU 0: NVIDIA A100 (UUID: GPU-1); TensorFlow sees 1")


def test_no_gpu(root: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (found,) = doctor.check_gpu(root)
    assert (found.level, found.found) == (doctor.OK, "none (no nvidia-smi); trainings use the CPU")


def test_a_disk_that_is_nearly_full(root: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(100 * 2**30, 99 * 2**30, 2**30))
    (found,) = doctor.check_disk(root)
    assert (found.level, found.found) == (doctor.NOTE, f"1.0 GiB free at {root.root}")


def test_a_processor_without_the_instructions(root: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.tensorflow_process.INSTRUCTION_SETS", {"avx2": ("AVX2", "no_such_flag")})
    monkeypatch.setattr("pipeline.compose.num_cores", lambda: 1)
    threads, instructions = doctor.check_processor(root)
    assert (threads.level, instructions.level) == (doctor.NOTE, doctor.NOTE)
    assert threads.found == "2 (trainer.threads) on 1 cores"


def test_outside_of_git_and_dvc(root: Layout) -> None:
    (git,), (dvc,) = doctor.check_git(root), doctor.check_dvc(root)
    assert (git.level, dvc.level) == (doctor.NOTE, doctor.PROBLEM)
