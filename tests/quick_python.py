"""A `python` for PATH, by which the zygote runs the pipeline's commands, for tests of what DVC runs.

Each stage of a `dvc repro` is a command, and its imports take longer than all else that it does in a short clone.
"""

import os
import shutil
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.zygote import Zygote

# -SE: the standard library is enough for it, and starts in a hundredth of a second
SCRIPT = """#!{python} -SE
import json, os, socket, sys

if sys.argv[1] != "-m" or not sys.argv[2].startswith("pipeline."):
    os.execv({python!r}, [{python!r}, *sys.argv[1:]])
with socket.socket(socket.AF_UNIX) as zygote:
    zygote.connect({address!r})
    request = {{"module": sys.argv[2], "arguments": sys.argv[3:], "folder": os.getcwd(), "env": dict(os.environ)}}
    socket.send_fds(zygote, [json.dumps(request).encode()], [1, 2])
    sys.exit(int(zygote.recv(16)))
"""


def serve(listening: socket.socket, zygote: Zygote) -> None:
    """Answer one call after another, until the socket is closed."""
    while True:
        try:
            asked, _ = listening.accept()
        except OSError:
            return
        with asked:
            request, streams, _, _ = socket.recv_fds(asked, 1 << 20, 2)
            code = zygote.forward(request, streams)
            for stream in streams:
                os.close(stream)
            asked.send(str(code).encode())


@contextmanager
def quick_python(zygote: Zygote) -> Iterator[Path]:
    """Yields the folder in which that `python` stands."""
    folder = Path(tempfile.mkdtemp())
    address, script = folder / "zygote", folder / "python"
    script.write_text(SCRIPT.format(python=sys.executable, address=str(address)))
    script.chmod(0o755)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(address))
        listening.listen()
        threading.Thread(target=serve, args=(listening, zygote), daemon=True).start()
        yield folder
        listening.shutdown(socket.SHUT_RDWR)
    shutil.rmtree(folder)
