"""Training loops.

Adding one: a file beside this with `train(job, lifecycle)`, a line in TRAINERS, a YAML in conf/trainer/.
"""

from collections.abc import Callable

from pipeline.training import compiled, exact, keras_fit
from pipeline.training.job import Job
from pipeline.training.lifecycle import Lifecycle

TRAINERS: dict[str, Callable[[Job, Lifecycle], None]] = {
    "compiled": compiled.train,
    "keras": keras_fit.train,
    "exact": exact.train,
}
