"""The frame around every command: what goes wrong becomes one line and an exit code."""

import errno
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, NoReturn, TypeVar

from pipeline.errors import BAD_INPUT, INTERRUPTED, PipelineError, SeveralErrors
from pipeline.processes import exit_lean, start_lean

if TYPE_CHECKING:
    from pipeline.config import DriftConfig, InspectConfig, PredictConfig

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
        from pipeline.arguments import from_arguments

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


def was_interrupted() -> bool:
    """Whether a signal has interrupted this process. Whatever error arrives after it may be its consequence."""
    return bool(_interrupted)


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
