"""What the columns of each type become for scikit-learn. A type without a line in DESIGNS is taken by its storage, as a
number or a category is; for another design, write a file beside this one."""

from pipeline.data.schema import Column
from pipeline.evaluation.designs import audio, plain, sequence, text
from pipeline.evaluation.designs.design import ColumnDesign

DESIGNS: dict[str, ColumnDesign] = {
    "audio": audio.DESIGN,
    "sequence": sequence.DESIGN,
    "text": text.DESIGN,
}


def design_of(column: Column) -> ColumnDesign:
    return DESIGNS.get(column.config.type, plain.DESIGN)
