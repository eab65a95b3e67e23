"""Raw input to features, as layers that travel inside the served model. One file for each modality.

Adding one: a file beside this with a `PREPROCESSING`, a line in PREPROCESSING.
"""

from pipeline.model.preprocessing import image, table
from pipeline.model.preprocessing.modality import Preprocessing

PREPROCESSING: dict[str, Preprocessing] = {"table": table.PREPROCESSING, "image": image.PREPROCESSING}
