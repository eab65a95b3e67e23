"""The model families. Adding one: a file beside this with a `FAMILY`, a line in FAMILIES, a YAML in conf/model/."""

from pipeline.model.families import cnn, linear, logistic, rnn
from pipeline.model.families.family import Family

FAMILIES: dict[str, Family] = {
    "linear": linear.FAMILY,
    "logistic": logistic.FAMILY,
    "cnn": cnn.FAMILY,
    "rnn": rnn.FAMILY,
}
