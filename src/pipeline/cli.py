"""The frame around every command: Hydra in, one line and an exit code out."""

import errno
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from pipeline.errors import BAD_INPUT, INTERRUPTED, ConfigError, PipelineError, SeveralErrors
from pipeline.processes import exit_in_full, exit_lean, start_lean

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from pipeline.config import Config, DriftConfig, InspectConfig, PredictConfig
    from pipeline.layout import Layout
    from pipeline.tracking.sweep import SweepJob

Resolved = TypeVar("Resolved")  # what a command takes: Config or PrepareConfig
Arguments = TypeVar("Arguments", "DriftConfig", "InspectConfig", "PredictConfig")

STORAGE_ADVICE = {
    errno.ENOSPC: "Free some space (build/features/, old folders in runs/, `dvc gc -w`).",
    errno.EDQUOT: "Free some space (build/features/, old folders in runs/, `dvc gc -w`).",
    errno.EROFS: "Work in a checkout on a disk that can be written to.",
    errno.EACCES: "Give yourself the right to write there.",
}
_interrupted: list[int] = []  # the numbers of the signals that have interrupted this process


def run_command(command: Callable[[], object]) -> None:
    """Run `command` and end the process; turn errors meant for the user into one line on stderr and exit code 2.

    Anything else is a bug and keeps its traceback. Ctrl-C exits with 130.
    """
    start_lean()
    signal.signal(signal.SIGINT, _interrupt)
    threading.excepthook = report_thread_error
    try:
        command()
    except (KeyboardInterrupt, Exception) as error:
        # A library may turn a KeyboardInterrupt into an error of its own, or swallow it and then fail on what it left
        # undone. Whatever error arrives after the signal is therefore its consequence.
        if _interrupted or isinstance(error, KeyboardInterrupt):
            print("interrupted", file=sys.stderr)
            exit_lean(INTERRUPTED)
        if isinstance(error, SeveralErrors):
            refuse(*map(str, error.errors))
        told = str(error) if isinstance(error, PipelineError) else about_storage(error)
        if told is None:
            raise
        refuse(told)
    exit_lean(0)


def argument_command(kind: type[Arguments], command: Callable[[Arguments], object], description: str | None) -> None:
    """Call `command` with what sys.argv's `key=value` say, as an object of the schema class `kind`. `--help` prints the
    description and the command's own."""

    def with_arguments() -> None:
        from pipeline.compose import from_arguments

        command(from_arguments(kind, sys.argv[1:]))

    with_arguments.__doc__ = command.__doc__
    described_command(with_arguments, description)


def described_command(command: Callable[[], object], description: str | None) -> None:
    """Run a command that reads sys.argv itself. `--help` prints the description and the command's own."""
    if {"-h", "--help"} & set(sys.argv[1:]):
        print(f"{description}\n\n{command.__doc__}")
    else:
        run_command(command)


def _interrupt(number: int, frame: FrameType | None) -> None:
    _interrupted.append(number)
    raise KeyboardInterrupt


def terminate_as_interrupt() -> None:
    """Let SIGTERM unwind the stack as Ctrl-C does, so that open files and locks are closed on the way."""
    signal.signal(signal.SIGTERM, _interrupt)


def refuse(*messages: str) -> NoReturn:
    """Print each message in one line on stderr, and exit with code 2."""
    for message in messages:
        print(f"error: {' '.join(message.split())}", file=sys.stderr)
    exit_lean(BAD_INPUT)


def report_thread_error(failed: threading.ExceptHookArgs) -> None:
    """Print the error that ended a thread, unless it is a full disk: the command then ends with that error itself."""
    if failed.exc_value is None or not is_full(failed.exc_value):
        threading.__excepthook__(failed)


def is_full(error: BaseException) -> bool:
    """Whether the error says that a disk or a user's quota on it is full. TensorFlow says so in the text of error
    classes of its own, which are no OSError."""
    known = isinstance(error, OSError) or type(error).__module__.startswith("tensorflow.")
    return known and any(has_errno(error, number) for number in (errno.ENOSPC, errno.EDQUOT))


def has_errno(error: BaseException, number: int) -> bool:
    # Libraries written in C leave `errno` unset and name the system's error only in their text.
    return getattr(error, "errno", None) == number or os.strerror(number) in str(error)


def about_storage(error: BaseException) -> str | None:
    """What is wrong with the disk, and what to do; None for any other trouble."""
    if not isinstance(error, OSError) and not is_full(error):
        return None
    for number, advice in STORAGE_ADVICE.items():
        if has_errno(error, number):
            name = getattr(error, "filename", None)
            place = f"{name}: " if name else ""
            return f"{place}{os.strerror(number)}. {advice} Nothing is half-written; run the same command again then."
    return None


@dataclass(frozen=True)
class Multirun:
    """What a command does under `-m`.

    `job(compose, record)` runs one job and returns its score: `compose()` gives the job's configuration, and `record`
    is its SweepJob. `end(layout, name)` is called once, when all jobs of the sweep `name` have ended.
    """

    job: Callable[[Callable[[], "Config"], "SweepJob"], float]
    end: Callable[["Layout", str], None]


def hydra_command(command: Callable[[Resolved], object], config_name: str, multirun: Multirun | None = None) -> None:
    """Compose `config_name` from conf/ and sys.argv with Hydra, and call `command` with the typed result. With `-m`,
    run `multirun` instead."""
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")

    def composed() -> None:
        from pipeline import compose
        from pipeline.layout import Layout

        layout = Layout.find()
        compose.register_schema(layout)
        if not _is_multirun(sys.argv[1:]):
            _run_once(layout, config_name, command)
        elif multirun is None:
            raise ConfigError("-m (multirun) is for pipeline.train. Give this command one choice at a time.")
        else:
            multirun.end(layout, _run_jobs(layout, config_name, multirun.job))

    run_command(composed)


def _is_multirun(arguments: list[str]) -> bool:
    """Whether Hydra will take these arguments for a sweep. Its own parser decides, as it knows abbreviations such as
    --multi."""
    from hydra._internal.utils import get_args_parser

    known, _ = get_args_parser().parse_known_args(arguments)
    return bool(known.multirun) or "hydra.mode=MULTIRUN" in known.overrides


def _run_once(layout: "Layout", config_name: str, command: Callable[[Resolved], object]) -> None:
    # Hydra adds a line of its own to every error that passes through it, so the error goes around it.
    ended: list[BaseException] = []

    def task(node: "DictConfig") -> None:
        try:
            command(_typed(node))
        except (PipelineError, OSError, KeyboardInterrupt) as error:
            ended.append(error)

    _call_hydra(layout, config_name, task)
    if ended:
        raise ended[0]


def _run_jobs(layout: "Layout", config_name: str, run: Callable[[Callable[[], "Config"], "SweepJob"], float]) -> str:
    """Run the jobs of a sweep, in whichever processes the launcher chooses, and return the sweep's name."""
    from pipeline import locks
    from pipeline.layout import JOB, LOCK
    from pipeline.tracking.sweep import SweepJob

    exit_in_full()
    sweep = layout.sweep(f"{time.strftime('%Y-%m-%d_%H-%M-%S')}-{os.getpid()}")
    # All jobs share one folder, whichever process the launcher runs them in.
    quoted = str(sweep).replace("\\", "\\\\").replace("'", "\\'")
    sys.argv.append(f"hydra.sweep.dir='{quoted}'")

    def task(node: "DictConfig") -> float:
        from hydra.core.hydra_config import HydraConfig

        hydra_config = HydraConfig.get()
        job = SweepJob(sweep, hydra_config.job.num, list(hydra_config.overrides.task))
        return run(lambda: _typed(node), job)

    with locks.hold(sweep / LOCK, f"sweep {sweep.name}"):
        try:
            _call_hydra(layout, config_name, task)
        finally:
            if not any(sweep.glob(f"*/{JOB}")):
                shutil.rmtree(sweep)
    return sweep.name


def _call_hydra(layout: "Layout", config_name: str, task: Callable[["DictConfig"], float | None]) -> None:
    import hydra
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    from pipeline.hydra_errors import explain

    try:
        hydra.main(config_path=str(layout.conf), config_name=config_name)(task)()
    except (HydraException, OmegaConfBaseException, YAMLError) as error:
        raise explain(error) from error


def _typed(node: "DictConfig") -> Any:
    """The configuration of this job, of the type that conf/'s primary file names."""
    from hydra.core.hydra_config import HydraConfig

    from pipeline import compose

    return compose.config_of(node, dict(HydraConfig.get().runtime.choices))
