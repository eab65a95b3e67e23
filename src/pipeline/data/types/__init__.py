"""The types that a column may have. To add one, write a file beside this one (the docstring of Type has an example), a
line in TYPES, and a file in model/inputs/ that says what a model does with it."""

from pipeline.data.types.audio import Audio
from pipeline.data.types.boolean import Boolean
from pipeline.data.types.category import Category
from pipeline.data.types.date import Date
from pipeline.data.types.datetime import Datetime
from pipeline.data.types.image import Image
from pipeline.data.types.number import Number
from pipeline.data.types.sequence import Sequence
from pipeline.data.types.series import Series
from pipeline.data.types.text import Text
from pipeline.data.types.type import Type

TYPES: dict[str, Type] = {
    "audio": Audio(),
    "boolean": Boolean(),
    "category": Category(),
    "date": Date(),
    "datetime": Datetime(),
    "image": Image(),
    "number": Number(),
    "sequence": Sequence(),
    "series": Series(),
    "text": Text(),
}
