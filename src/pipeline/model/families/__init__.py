"""The model families by name. To add one, write a file beside this with a `FAMILY` (family.py has an example), a line
in FAMILIES, and a YAML file in conf/model/."""

from pipeline.model.families import cnn, linear, logistic, rnn
from pipeline.model.families.family import Family

FAMILIES: dict[str, Family] = {
    "linear": linear.FAMILY,
    "logistic": logistic.FAMILY,
    "cnn": cnn.FAMILY,
    "rnn": rnn.FAMILY,
}
