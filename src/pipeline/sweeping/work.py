"""What a worker of a search does: it takes a trial, trains it, and goes on until the search has all its trials."""

import logging
import os
import time

from pipeline.layout import Layout
from pipeline.search.study import Study
from pipeline.sweeping.bases import check_checkout
from pipeline.sweeping.processes import Order
from pipeline.sweeping.telling import Teller
from pipeline.sweeping.trial import run_trial
from pipeline.tracking.kept_models import remove_models
from pipeline.tracking.sweep import read_jobs

# How long a worker waits when other workers have all the trials that there are by now.
WAIT_SECONDS = 0.2


def take_part(order: Order, layout: Layout) -> None:
    """Work on a search that a command has begun, maybe on another machine. Raises ConfigError where the checkout there
    is another one."""
    study = Study.open(order.storage, order.sweep, layout)
    check_checkout(study.plan, layout)
    work(study, layout, order.until)


def work(study: Study, layout: Layout, until: float, teller: Teller | None = None) -> None:
    """Work on a search until it is done, or until the time `until` (in seconds since 1970; 0 is never), after which no
    further trial begins."""
    quiet()
    while not study.done:
        if until and time.time() >= until:
            return
        claimed = study.claim()
        if claimed is None:
            time.sleep(WAIT_SECONDS)
            continue
        with claimed:
            run_trial(study.plan, claimed, layout)
        folder = layout.sweep(study.plan.name)
        remove_models(layout, study.plan.name, read_jobs(folder), study.plan.settings.keep)
        if teller is not None:
            teller.tell()


def quiet() -> None:
    """Leave the terminal to the lines of the search: bars of several workers would write over each other."""
    from pipeline.training import progress

    progress.hide()
    # Each training has a model of its own, which TensorFlow would call tracing the same function again and again.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
