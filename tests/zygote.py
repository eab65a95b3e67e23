"""Commands of the pipeline without the seconds that their imports take, for tests that run dozens of them.

A process that has imported TensorFlow, MLflow and scikit-learn, but nothing of the pipeline, forks one child for each
command; the child is `python -m pipeline.<command>` from there on: its own folder, environment, output, exit code, and
the pipeline's code of its checkout. What follows a training (tracking/follower.py) is forked from that. What must be a
whole process (kills, what imports what, a table of one's own by docs/data.md) the tests start as one.

python -m tests.zygote     # the server, requests on standard input's socket
"""

import atexit
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parents[1]
IMPORTED = (
    "hydra",
    "hydra.main",
    "pyarrow.parquet",
    "scipy.special",
    "sklearn.datasets",
    "sklearn.linear_model",
    "sklearn.preprocessing",
    "mlflow.tracking",
    "mlflow.models",
    "sqlalchemy",
    "tqdm",
)
FOLLOWER = "pipeline.tracking.follow"


class Zygote:
    """The client's side: `run` as subprocess.run does, with what was printed as text."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair()
        self._turn = threading.Lock()
        command = [sys.executable, "-m", "tests.zygote"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=theirs, start_new_session=True)
        theirs.close()

    def run(self, module: str, arguments: list[str], folder: Path, env: dict[str, str]) -> subprocess.CompletedProcess:
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
            request = {"module": module, "arguments": arguments, "folder": str(folder), "env": env}
            code = self.forward(json.dumps(request).encode(), [out.fileno(), errors.fileno()])
            texts = []
            for stream in (out, errors):
                stream.seek(0)
                texts.append(stream.read())
        return subprocess.CompletedProcess([module, *arguments], code, *texts)

    def forward(self, request: bytes, streams: list[int]) -> int:
        """The exit code of the command, once it has ended; it prints to these streams, output and errors."""
        with self._turn:
            socket.send_fds(self._socket, [request], streams)
            return int(self._socket.recv(16))

    def close(self) -> None:
        self._socket.close()
        self._process.wait(timeout=60)


def import_what_takes_long() -> None:
    from pipeline.tensorflow_import import NOT_NEEDED, hidden
    from pipeline.tracking.settings import set_defaults

    gc.set_threshold(50_000, 20, 20)  # as processes.start_lean does, which registers for the exit too
    set_defaults()
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    with hidden(NOT_NEEDED):
        import tensorflow  # noqa: F401
    for name in IMPORTED:
        importlib.import_module(name)
    forget_the_pipeline()
    # no child goes through it, or copies it, in a collection of garbage
    gc.collect()
    gc.freeze()


def forget_the_pipeline() -> None:
    """Each process imports its checkout's own."""
    for name in [name for name in sys.modules if name.split(".")[0] == "pipeline"]:
        del sys.modules[name]


def fork_followers() -> None:
    """Let subprocess.Popen fork a follower without starting Python anew, which would import MLflow again."""
    usual = subprocess.Popen.__init__

    def start(self: subprocess.Popen, command: Any, *others: Any, **options: Any) -> None:
        if list(command[1:3]) == ["-m", FOLLOWER]:
            sys.stdout.flush()
            sys.stderr.flush()
            # called where the new program would be loaded: with its streams, folder and session
            options["preexec_fn"] = lambda: become_follower(command[3:])
        usual(self, command, *others, **options)

    subprocess.Popen.__init__ = start


def become_follower(arguments: list[str]) -> NoReturn:
    code = 1
    try:
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        atexit._clear()
        forget_the_pipeline()
        sys.argv[1:] = arguments
        runpy.run_module(FOLLOWER, run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        code = int(ended.code or 0)
        atexit._run_exitfuncs()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def next_request(server: socket.socket) -> dict[str, object]:
    """Fork a child for each request; returns in the child, with its request, and ends the server at the end."""
    while True:
        content, fds, _, _ = socket.recv_fds(server, 1 << 20, 2)
        if not content:
            sys.exit()
        child = os.fork()
        if child == 0:
            for target, fd in zip((1, 2), fds, strict=True):
                os.dup2(fd, target)
                os.close(fd)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            server.close()
            return dict(json.loads(content))
        for fd in fds:
            os.close(fd)
        _, status = os.waitpid(child, 0)
        server.send(str(os.waitstatus_to_exitcode(status)).encode())


def main() -> None:
    import_what_takes_long()
    server = socket.socket(fileno=os.dup(0))
    request = next_request(server)
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["folder"])
    # as `python -m` does: the working directory, then PYTHONPATH
    sys.path[:0] = [os.getcwd(), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    importlib.invalidate_caches()
    fork_followers()
    sys.argv[1:] = request["arguments"]
    runpy.run_module(request["module"], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
