"""Commands that Hydra composes: their configuration comes from conf/ and from sys.argv."""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pipeline.cli import run_command
from pipeline.errors import ConfigError, PipelineError
from pipeline.processes import exit_in_full

if TYPE_CHECKING:
    from argparse import Namespace

    from omegaconf import DictConfig

    from pipeline.config import Config
    from pipeline.layout import Layout
    from pipeline.tracking.sweep_job import SweepJob

Resolved = TypeVar("Resolved")  # what a command takes: Config or PrepareConfig


@dataclass(frozen=True)
class Multirun:
    """What a command does under `-m`.

    `job(compose, record)` runs one job of a grid and returns its score: `compose()` gives the job's configuration, and
    `record` is its SweepJob. `end(layout, name)` is called once, when all jobs of the grid `name` have ended. A search
    is neither's business: Hydra's sweeper for searches (hydra_plugins) runs and ends it.
    """

    job: Callable[[Callable[[], "Config"], "SweepJob"], float]
    end: Callable[["Layout", str], None]


def hydra_command(command: Callable[[Resolved], object], config_name: str, multirun: Multirun | None = None) -> None:
    """Compose `config_name` from conf/ and sys.argv with Hydra, and call `command` with the typed result. With `-m`,
    run `multirun` instead."""
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")

    def composed() -> None:
        from pipeline.compose import register_schema
        from pipeline.hydra_compose import choices
        from pipeline.layout import Layout

        layout = Layout.find()
        register_schema(layout)
        arguments = _parsed(sys.argv[1:])
        if arguments.help and not arguments.overrides:
            print(f"{sys.modules[command.__module__].__doc__}\n\n{choices(layout)}")
            return
        sweeps = _is_multirun(arguments)
        _check_search(arguments, sweeps)
        if not sweeps:
            _run_once(layout, config_name, command)
        elif multirun is None:
            raise ConfigError("-m (multirun) is for pipeline.train. Give this command one choice at a time.")
        else:
            _run_jobs(layout, config_name, multirun)

    run_command(composed)


def _parsed(arguments: list[str]) -> "Namespace":
    """The arguments as Hydra's own parser takes them, which knows abbreviations such as --multi."""
    from hydra._internal.utils import get_args_parser

    return get_args_parser().parse_known_args(arguments)[0]


def _is_multirun(arguments: "Namespace") -> bool:
    """Whether Hydra will take these arguments for a sweep. It refuses to show something and to sweep at once."""
    sweeps = bool(arguments.multirun) or "hydra.mode=MULTIRUN" in arguments.overrides
    if sweeps and (arguments.cfg or arguments.info):
        raise ConfigError("-m stands beside --cfg or --info, which show one configuration. Leave one of them out.")
    return sweeps and not (arguments.help or arguments.hydra_help or arguments.shell_completion)


def _check_search(arguments: "Namespace", multirun: bool) -> None:
    """Raise ConfigError for what cannot be one search, and for settings of a search that nobody would read."""
    if arguments.cfg or arguments.info or arguments.help:
        return
    keys = [override.lstrip("+").partition("=") for override in arguments.overrides]
    chosen = [value for key, _, value in keys if key == "sweep"]
    if several := [value for value in chosen if "," in value or "(" in value or value in ("", "null")]:
        raise ConfigError(f"sweep: found '{several[0]}', expected one search. Give several one after another.")
    if multirun:
        return  # the sweeper that Hydra finds in the whole configuration sees to the rest
    if chosen or ("hydra/sweeper", "=", "search") in keys:
        raise ConfigError(f"sweep={chosen[0] if chosen else 'search'} is a search, which needs -m. Add it.")
    if settings := [key for key, _, _ in keys if key.startswith("sweep.")]:
        raise ConfigError(f"{settings[0]} is a setting of a search, and none is chosen. Add sweep=<name> and -m.")


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


def _run_jobs(layout: "Layout", config_name: str, multirun: Multirun) -> None:
    """Run a search, or the jobs of a grid in whichever processes the launcher chooses."""
    from pipeline.tracking.sweep_job import SweepJob

    exit_in_full()
    run, folder = multirun.job, layout.sweep(f"{time.strftime('%Y-%m-%d_%H-%M-%S')}-{os.getpid()}")
    # All jobs share one folder, whichever process the launcher runs them in.
    quoted = str(folder).replace("\\", "\\\\").replace("'", "\\'")
    sys.argv.append(f"hydra.sweep.dir='{quoted}'")

    def task(node: "DictConfig") -> float:
        from hydra.core.hydra_config import HydraConfig

        hydra_config = HydraConfig.get()
        job = SweepJob(folder, hydra_config.job.num, list(hydra_config.overrides.task))
        return run(lambda: _typed(node), job)

    _call_hydra(layout, config_name, task)
    if folder.is_dir():  # the sweeper for grids has kept records there
        multirun.end(layout, folder.name)


def _call_hydra(layout: "Layout", config_name: str, task: Callable[["DictConfig"], float | None]) -> None:
    import hydra
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    from pipeline.hydra_compose import VERSION_BASE
    from pipeline.hydra_errors import explain

    try:
        hydra.main(version_base=VERSION_BASE, config_path=str(layout.conf), config_name=config_name)(task)()
    except (HydraException, OmegaConfBaseException, YAMLError) as error:
        raise explain(error) from error


def _typed(node: "DictConfig") -> Any:
    """The configuration of this job, of the type that conf/'s primary file names."""
    from hydra.core.hydra_config import HydraConfig

    from pipeline.compose import config_of

    return config_of(node, dict(HydraConfig.get().runtime.choices))
