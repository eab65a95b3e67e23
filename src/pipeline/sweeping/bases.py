"""What the trials of a search use of this checkout: what all workers must share."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.compose import compose_config
from pipeline.config import Config
from pipeline.errors import ConfigError
from pipeline.files import digest_value
from pipeline.identity import Identity
from pipeline.layout import Layout
from pipeline.objectives import scoring_code
from pipeline.reach import reach
from pipeline.run import identified
from pipeline.search.plan import STATE, Plan
from pipeline.search.space import Space, parse_space
from pipeline.sweeping.variants import variants, variants_of

DIGITS = 8
# Hydra's groups that decide which code and data a trial uses.
GROUPS = ("experiment", "dataset", "model", "trainer", "debug")
# What the code of a search reaches and what does not decide its trials: settings count by their values, and where the
# trials are kept, and who has which, changes none of them.
NOT_DECIDING = (
    *("config", "errors", "files", "layout", "locks", "tasks", "tracking"),
    *("search.claims", "search.postgres", "search.storage"),
)


@dataclass(frozen=True)
class Base:
    """What trials have in common that make the same choices of Hydra's groups."""

    config: Config
    identity: Identity


def bases_of(layout: Layout, fixed: Sequence[str], space: Space) -> list[Base]:
    """One for each combination of choices, with the first value of all else. Data that are missing are prepared."""
    return [_base(layout, [*fixed, *variant]) for variant in variants_of(space, GROUPS)]


def state_of(layout: Layout, bases: Sequence[Base]) -> str:
    """A digest of each part of STATE, for all trials together. The order in which the space names its keys is no part
    of it."""
    parts: dict[str, object] = {
        part: sorted({digest_value(dict(base.identity)[part]) for base in bases})
        for part in ("config", "code", "data", "lock")
    }
    # It is no code of any training: it decides which trials there are, and when they stop.
    package = layout.root / "src" / "pipeline"
    parts["search"] = reach(package, "search.study", {}, NOT_DECIDING) | scoring_code(package)
    return " ".join(f"{part}:{digest_value(parts[part])[:DIGITS]}" for part in STATE)


def check_checkout(plan: Plan, layout: Layout) -> None:
    """Raise ConfigError where this checkout is not in the state in which the search was begun."""
    plan.check_state(state_of(layout, bases_of(layout, plan.overrides, parse_space(plan.settings.space))))


def compose_trial(layout: Layout, overrides: list[str]) -> Config:
    config: Config = compose_config(layout, "config", overrides)
    if config.output:
        raise ConfigError(f"output: found '{config.output}', expected none in a sweep, whose jobs are kept apart.")
    return config


def compose_variants(layout: Layout, fixed: Sequence[str], space: Space) -> list[Config]:
    """Trials that stand for all. Raises ConfigError for what cannot be composed or used."""
    try:
        return [compose_trial(layout, [*fixed, *variant]) for variant in variants(space)]
    except ConfigError as error:
        for parameter in space.parameters:
            fractions = parameter.numeric and not parameter.size and not parameter.whole
            if fractions and str(error).startswith(f"{parameter.key}: ") and "converted to Integer" in str(error):
                tags = "int, log" if parameter.log else "int"
                raise ConfigError(
                    f"sweep.space.{parameter.key}: an interval is of fractions, expected whole numbers. Write "
                    f"tag({tags}, interval({round(parameter.low)}, {round(parameter.high)}))."
                ) from error
        raise


def _base(layout: Layout, overrides: list[str]) -> Base:
    config = compose_trial(layout, overrides)
    return Base(config, identified(config, layout).identity)
