"""The model families by name. To add one, write a file beside this with a `FAMILY` (family.py has an example), a line
in FAMILIES, and a YAML file in conf/model/."""

from pipeline.model.families import cnn, linear, logistic, mlp, rnn
from pipeline.model.families.family import Family

FAMILIES: dict[str, Family] = {
    "linear": linear.FAMILY,
    "logistic": logistic.FAMILY,
    "mlp": mlp.FAMILY,
    "cnn": cnn.FAMILY,
    "rnn": rnn.FAMILY,
}
