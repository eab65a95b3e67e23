"""`python -m pipeline.ports 5000 UI_PORT`: refuse in one line a port that something else listens on."""

import socket
import sys

from pipeline.cli import run_command
from pipeline.errors import ConfigError


def check_port() -> None:
    """Raise ConfigError unless the port of the first argument is free; the second names the setting for another."""
    text, setting = sys.argv[1:]
    if not text.isdigit() or not 0 < int(text) < 2**16:
        raise ConfigError(f"{setting}: found '{text}', expected a port from 1 to 65535.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(text)))
        except OSError as error:
            raise ConfigError(
                f"port {text} cannot be used ({error.strerror}). Stop what listens there, or add {setting}=<another>."
            ) from error


def main() -> None:
    run_command(check_port)


if __name__ == "__main__":
    main()
