"""Training loops. Adding one: a file beside this with a `TRAINER`, a line in TRAINERS, a YAML in conf/trainer/."""

from pipeline.training import compiled, exact, keras_fit
from pipeline.training.trainer import Trainer

TRAINERS: dict[str, Trainer] = {"compiled": compiled.TRAINER, "keras": keras_fit.TRAINER, "exact": exact.TRAINER}
