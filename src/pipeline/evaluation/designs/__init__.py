"""What the columns of each type become for scikit-learn. To add one, write a file beside this one and a line in
DESIGNS. A type without a line is taken by its storage, as a number or a category is."""

from pipeline.data.schema import Column
from pipeline.evaluation.designs import audio, plain, sequence, text
from pipeline.evaluation.designs.design import ColumnDesign

DESIGNS: dict[str, ColumnDesign] = {
    "audio": audio.DESIGN,
    "boolean": plain.DESIGN,
    "category": plain.DESIGN,
    "date": plain.DESIGN,
    "datetime": plain.DESIGN,
    "image": plain.DESIGN,
    "number": plain.DESIGN,
    "sequence": sequence.DESIGN,
    "series": plain.DESIGN,
    "text": text.DESIGN,
}


def design_of(column: Column) -> ColumnDesign:
    return DESIGNS.get(column.config.type, plain.DESIGN)
