"""The trainers by name. To add one, write a file beside this with a `TRAINER` (trainer.py has an example), a line in
TRAINERS, and a YAML file in conf/trainer/."""

from pipeline.training import compiled, exact, keras_fit
from pipeline.training.trainer import Trainer

TRAINERS: dict[str, Trainer] = {"compiled": compiled.TRAINER, "keras": keras_fit.TRAINER, "exact": exact.TRAINER}
