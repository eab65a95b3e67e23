"""The journal of a training, from its start to its end, however that comes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

from pipeline.config import Config
from pipeline.identity import Identity
from pipeline.layout import JOURNAL, Layout
from pipeline.tracking.facts import run_params, run_tags
from pipeline.tracking.journal import FAILED, FINISHED, KILLED, Journal, Record, read, status


@contextmanager
def recorded(config: Config, identity: Identity, layout: Layout) -> Iterator[Journal]:
    """Yield the run's journal, which says when the body starts, and how it ends."""
    name = identity["identity"]
    journal = Journal(layout.run(name) / JOURNAL)
    journal.start(name, config.name, run_params(asdict(config)), run_tags(identity, layout.root))
    ended = FAILED
    try:
        yield journal
        ended = FINISHED
    except KeyboardInterrupt:
        ended = KILLED
        raise
    finally:
        journal.end(ended)
    if journal.differing:
        print(
            f"{config.name}: epoch {journal.differing[0]} has other values than in an earlier run of the same "
            "identity. The bits were not reproduced; see docs/reproducibility.md."
        )


def finished_epochs(identity: Identity, layout: Layout) -> list[Record] | None:
    """Each epoch's values of a run of this identity that has finished, or None where there is none."""
    records = read(layout.run(identity["identity"]) / JOURNAL)
    if status(records) != FINISHED:
        return None
    return [record["values"] for record in records if record["type"] == "metrics"]
