"""Keep the journal of a training from its start to its end, however it ends."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

from pipeline.config import Config
from pipeline.data.history import GivenUp, LeftAlive
from pipeline.identity import Identity
from pipeline.layout import JOURNAL, Layout
from pipeline.tracking.facts import run_params, run_tags
from pipeline.tracking.journal import FAILED, FINISHED, KILLED, PRUNED, Journal, read, status


@contextmanager
def recorded(config: Config, identity: Identity, layout: Layout) -> Iterator[Journal]:
    """Yield the run's journal. It gets a record when the body starts, and another that says how the body ended."""
    name = identity["identity"]
    journal = Journal(layout.run(name) / JOURNAL)
    journal.start(name, config.name, run_params(asdict(config)), run_tags(identity, layout.root))
    ended = FAILED
    try:
        yield journal
        ended = FINISHED
    except (KeyboardInterrupt, LeftAlive):
        ended = KILLED
        raise
    except GivenUp:
        ended = PRUNED
        raise
    finally:
        journal.end(ended)
    if journal.differing:
        print(
            f"{config.name}: epoch {journal.differing[0]} has other values than in an earlier run of the same "
            "identity. The bits were not reproduced; see docs/reproducibility.md."
        )


def finished_epochs(identity: Identity, layout: Layout) -> list[dict[str, float]] | None:
    """Each epoch's values of the run of this identity, or None where no such run has finished."""
    records = read(layout.run(identity["identity"]) / JOURNAL)
    if status(records) != FINISHED:
        return None
    return [record["values"] for record in records if record["type"] == "metrics"]
