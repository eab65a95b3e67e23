"""Workers on a Ray cluster: `sweep.address` names a running one, else one is started on this machine for the search.

Each node has the checkout and its environment at the same paths.
"""

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import ConfigError
from pipeline.layout import Layout
from pipeline.search.study import Study
from pipeline.sweeping import jobs
from pipeline.sweeping.order import Order
from pipeline.sweeping.processes import PATIENCE_SECONDS, Place
from pipeline.sweeping.telling import Teller

THREADS = "OMP_NUM_THREADS"


def start(study: Study, layout: Layout, until: float, teller: Teller) -> None:
    # Ray would send what it counts to its makers.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray

    settings = study.plan.settings
    connect(settings.address)
    references = list[Any]()
    try:
        remote = remote_worker(settings.resources)
        # The own value of a variable that Ray sets in its jobs: it may decide about bits.
        order, root, threads = Order.of(study, until), str(layout.root), os.environ.get(THREADS, "")
        references += [remote.remote(order, root, threads) for _ in range(settings.workers)]
        jobs.wait(study, [RayJob(one) for one in references], until, teller, "their output stands above")
    finally:
        # Ray kills what its jobs have started; those that were cancelled may save a checkpoint before.
        if references:
            ray.wait(references, num_returns=len(references), timeout=PATIENCE_SECONDS)
        ray.shutdown()


def remote_worker(resources: dict[str, Any]) -> Any:
    """`run_worker` as Ray calls it, with these resources each."""
    import ray

    try:
        return ray.remote(run_worker).options(**{"num_cpus": 1, "name": "sweep", **resources})
    except (TypeError, ValueError) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise ConfigError(f"sweep.resources: {reason}. Expected what Ray's options() takes.") from error


def connect(address: str) -> None:
    import ray

    address = address or os.environ.get("RAY_ADDRESS", "local")
    own = {"include_dashboard": False} if address == "local" else {}
    try:
        ray.init(address=address, logging_level=logging.ERROR, **own)
    except Exception as error:  # Ray says by a plain Exception that a node did not start in time
        reason = " ".join(str(error).split()).rstrip(".")[:300]
        raise ConfigError(f"sweep.address: no Ray cluster at '{address}' ({reason}).") from error


def run_worker(order: Order, root: str, threads: str) -> int:
    """What one job does: it starts a worker and waits for it."""
    os.environ.pop(THREADS, None)
    place = Place(order, Layout(Path(root)), {THREADS: threads} if threads else {})
    try:
        return place.work()
    finally:
        # also where Ray cancels the job, which raises KeyboardInterrupt
        place.stop()


@dataclass
class RayJob:
    reference: Any  # ray.ObjectRef

    def ended(self) -> bool:
        import ray

        ready, _ = ray.wait([self.reference], timeout=0)
        return bool(ready)

    def trouble(self) -> str:
        import ray

        try:
            code = ray.get(self.reference)
        except ray.exceptions.RayError as error:
            return " ".join(str(error).split())[:300]
        return f"its process ended with code {code}" if code else ""

    def cancel(self) -> None:
        import ray

        ray.cancel(self.reference)
