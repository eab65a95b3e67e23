"""What a search is: everything that decides which trials there are, so that equal plans give equal trials."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from pipeline.config import check_all
from pipeline.config.sweep import PrunerConfig, SamplerConfig, SweepConfig
from pipeline.errors import ArtifactError, ConfigError
from pipeline.search.pruners import check_pruner
from pipeline.search.samplers import check_sampler
from pipeline.search.space import Space, parse_space

# Settings that may change from one start of a search to the next: they do not decide what its trials are.
FREE = ("trials", "keep", "strict", "retry", "storage", "seconds", "workers", "on", "address", "resources")

# The parts of a checkout that all workers must share, with their names for people.
STATE = {
    "config": "configuration",
    "code": "code",
    "data": "data",
    "lock": "requirements.lock",
    "search": "code of the search",
}


@dataclass(frozen=True)
class Plan:
    """A search. A worker needs nothing else. `overrides` are those that all trials share. There is one of `directions`
    (minimize, maximize) for each objective. `code` has a digest of each part of STATE, as in `data:1a2b code:3c4d`."""

    name: str
    experiment: str
    overrides: tuple[str, ...]
    settings: SweepConfig
    directions: tuple[str, ...]
    code: str

    def as_json(self) -> dict[str, Any]:
        """As plain values. The address of the storage is left out: it may hold a password."""
        values = asdict(self)
        del values["settings"]["storage"]
        return {**values, "overrides": list(self.overrides), "directions": list(self.directions)}

    @classmethod
    def from_json(cls, values: Any, storage: str) -> "Plan":
        try:
            settings = dict(values["settings"])
            sampler, pruner = SamplerConfig(**settings.pop("sampler")), PrunerConfig(**settings.pop("pruner"))
            return cls(
                values["name"],
                values["experiment"],
                tuple(values["overrides"]),
                SweepConfig(**settings, sampler=sampler, pruner=pruner, storage=storage),
                tuple(values["directions"]),
                values["code"],
            )
        except (TypeError, KeyError, ValueError) as error:
            raise ArtifactError(
                f"the stored sweep cannot be read ({error}). It was begun by other code: give sweep.name another name."
            ) from error

    def checked(self) -> Space:
        """The space. Raises ConfigError for settings that cannot be used."""
        check_all(self.settings)
        space = parse_space(self.settings.space)
        check_sampler(self.settings, space, len(self.directions))
        check_pruner(self.settings, len(self.directions))
        return space

    @property
    def total(self) -> int:
        """How many trials must finish or be pruned. Of a grid, each one is tried once."""
        if self.settings.sampler.name == "grid":
            return len(parse_space(self.settings.space).grid_points)
        return self.settings.trials

    def with_free_of(self, other: "Plan") -> "Plan":
        """This plan with the settings of `other` that may change."""
        changed = {name: getattr(other.settings, name) for name in FREE}
        return replace(self, settings=replace(self.settings, **changed))

    def check_state(self, state: str) -> None:
        """Raise ConfigError where a checkout in this state cannot work on the search, naming what differs."""
        before, now = _parts(self.code), _parts(state)
        other = [part for part in STATE if before.get(part) != now.get(part)]
        if other:
            found = ", ".join(f"{before.get(part, 'unknown')}, here {now.get(part, 'unknown')}" for part in other)
            raise ConfigError(
                f"sweep {self.name} was begun with other {' and '.join(STATE[part] for part in other)} ({found}), so "
                "its trials cannot be compared with those of this checkout. Bring the checkout to the same state, or "
                "give sweep.name another name."
            )

    def check_same(self, asked: "Plan") -> None:
        """Raise ConfigError where `asked` is another search than this stored one, naming the first key that differs."""
        before, now = dict(_flat(self.as_json())), dict(_flat(asked.as_json()))
        for key in [*before, *(key for key in now if key not in before)]:
            name = key.replace("settings.", "sweep.")
            free = key == "code" or name.removeprefix("sweep.").split(".")[0] in FREE
            if before.get(key) != now.get(key) and not free:
                raise ConfigError(
                    f"sweep {self.name}: {name} was {before.get(key, 'not there')} when the sweep began, found "
                    f"{now.get(key, 'nothing')}. Put it back, or give sweep.name another name."
                )
        self.check_state(asked.code)


def _parts(state: str) -> dict[str, str]:
    return {part: digest for part, _, digest in (entry.partition(":") for entry in state.split())}


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
