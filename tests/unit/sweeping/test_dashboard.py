"""`make sweeps`: optuna-dashboard on the latest search, or on the one that is named."""

import json
import os
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from pipeline.dashboard import chosen
from pipeline.errors import ConfigError
from pipeline.layout import Layout
from pipeline.search.study import Study
from tests.clones import environment
from tests.postgres import PASSWORD, Server
from tests.unit.search.simulated import plan_of


def test_what_is_shown(tmp_path: Path, postgres_server: Server) -> None:
    layout = Layout(tmp_path)
    with pytest.raises(ConfigError, match="no search is here"):
        chosen(layout, "", "")
    for age, name in enumerate(("older", "newer")):
        Study.create_or_open(plan_of(name=name), layout)
        os.utime(layout.sweep(name) / "study.journal", (age, age))
    storage, told = chosen(layout, "", "")
    assert told == "search newer (others by SWEEP=...: older)"
    assert [study.study_name for study in storage.get_all_studies()] == ["newer"]
    assert chosen(layout, "older", "")[1] == "search older (others by SWEEP=...: newer)"
    with pytest.raises(ConfigError, match=r"SWEEP: 'odler' is no search in .* Did you mean 'older'\?"):
        chosen(layout, "odler", "")
    address = postgres_server.new_database()
    Study.create_or_open(plan_of(name="shared", storage=address), layout)
    storage, told = chosen(layout, "", address)
    assert [study.study_name for study in storage.get_all_studies()] == ["shared"]
    assert PASSWORD not in told


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_page_answers_and_a_port_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dvc.yaml").touch()
    Study.create_or_open(plan_of(name="shown"), Layout(tmp_path))
    port = free_port()
    command = [sys.executable, "-m", "pipeline.dashboard", str(port), "SWEEPS_PORT"]
    env = {**environment(), "PYTHONPATH": os.pathsep.join(sys.path), "SWEEP": "shown"}
    env.pop("DISPLAY", None)
    with subprocess.Popen(command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline().startswith(f"search shown: http://127.0.0.1:{port}/dashboard")
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/studies", timeout=30) as answer:
                studies = json.load(answer)["study_summaries"]
            assert [study["study_name"] for study in studies] == ["shown"]
            second = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
            assert second.returncode == 2
            assert second.stderr.startswith(f"error: port {port} cannot be used (Address already in use).")
            assert second.stderr.endswith("add SWEEPS_PORT=<another>.\n")
        finally:
            server.send_signal(2)
    assert server.returncode == 0, "Ctrl-C is the usual end"
