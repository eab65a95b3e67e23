"""What a command tells its workers."""

import json
from dataclasses import asdict, dataclass, field

from pipeline.search.study import Study


@dataclass(frozen=True)
class Order:
    """All else a worker finds in the study. No trial begins after `until` (seconds since 1970; 0 is never). `trials` is
    how many the command wants, while another one may have stored another number. The storage's address may hold a
    password, so an order stands on no command line, which others can see."""

    sweep: str
    storage: str = field(repr=False)
    until: float
    trials: int

    @classmethod
    def of(cls, study: Study, until: float) -> "Order":
        return cls(study.plan.name, study.plan.settings.storage, until, study.plan.settings.trials)

    def line(self) -> bytes:
        return json.dumps(asdict(self)).encode() + b"\n"
