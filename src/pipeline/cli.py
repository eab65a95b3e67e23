"""The frame around every command: Hydra in, one line and an exit code out."""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from pipeline.errors import BAD_INPUT, INTERRUPTED, PipelineError


def run_command(command: Callable[[], Any]) -> None:
    """Run `command`; turn errors meant for the user into one line on stderr and exit code 2.

    Anything else is a bug and keeps its traceback. Ctrl-C exits with 130.
    """
    try:
        command()
    except PipelineError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(BAD_INPUT)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)


def hydra_command(command: Callable[[Any], Any], config_name: str) -> None:
    """Compose `config_name` from conf/ and sys.argv with Hydra and call `command` with the typed result."""
    from pipeline.layout import Layout

    os.environ.setdefault("HYDRA_FULL_ERROR", "1")

    def composed() -> None:
        import hydra
        from hydra.core.hydra_config import HydraConfig
        from hydra.errors import HydraException
        from omegaconf import DictConfig
        from omegaconf.errors import OmegaConfBaseException

        from pipeline import compose

        layout = Layout.find()
        compose.register_schema(layout)

        # an error that Hydra sees, it reports with a line of its own
        ended: list[BaseException] = []

        def task(node: DictConfig) -> Any:
            try:
                return command(compose.finish(node, dict(HydraConfig.get().runtime.choices)))
            except (PipelineError, KeyboardInterrupt) as error:
                ended.append(error)

        try:
            hydra.main(config_path=str(layout.conf), config_name=config_name)(task)()
        except (HydraException, OmegaConfBaseException) as error:
            raise compose.explain(error) from error
        if ended:
            raise ended[0]

    run_command(composed)


def terminate_as_interrupt() -> None:
    """Let SIGTERM unwind like Ctrl-C, so that what is open is closed."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
