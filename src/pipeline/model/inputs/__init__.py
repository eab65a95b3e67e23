"""What a model does with the columns of each type. To add one, write a file beside this one (the docstring of Input has
an example), and a line in INPUTS."""

from pipeline.model.inputs.audio import AudioInput
from pipeline.model.inputs.boolean import BooleanInput
from pipeline.model.inputs.category import CategoryInput
from pipeline.model.inputs.image import ImageInput
from pipeline.model.inputs.input import Input
from pipeline.model.inputs.moment import DAY, WEEK, YEAR, MomentInput
from pipeline.model.inputs.number import NumberInput
from pipeline.model.inputs.sequence import SequenceInput
from pipeline.model.inputs.series import SeriesInput
from pipeline.model.inputs.text import TextInput

INPUTS: dict[str, Input] = {
    "audio": AudioInput(),
    "boolean": BooleanInput(),
    "category": CategoryInput(),
    "date": MomentInput("date", 1.0, (YEAR, WEEK)),
    "datetime": MomentInput("datetime", 86_400e6, (YEAR, WEEK, DAY)),
    "image": ImageInput(),
    "number": NumberInput(),
    "sequence": SequenceInput(),
    "series": SeriesInput(),
    "text": TextInput(),
}
