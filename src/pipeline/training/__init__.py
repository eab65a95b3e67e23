"""Training loops. Adding one: a file beside this with `train(job)`, a line in TRAINERS, a YAML in conf/trainer/."""

from collections.abc import Callable

from pipeline.training import compiled, exact, keras_fit
from pipeline.training.job import Job

TRAINERS: dict[str, Callable[[Job], None]] = {
    "compiled": compiled.train,
    "keras": keras_fit.train,
    "exact": exact.train,
}
