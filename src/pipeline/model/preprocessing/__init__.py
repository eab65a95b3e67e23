"""Preprocessing turns raw inputs into features, by layers that travel inside the served model.

There is one file for each modality. To add one, write a file beside this with a `PREPROCESSING` (modality.py has an
example), and a line in the PREPROCESSING below.
"""

from pipeline.model.preprocessing import image, table
from pipeline.model.preprocessing.modality import Preprocessing

PREPROCESSING: dict[str, Preprocessing] = {"table": table.PREPROCESSING, "image": image.PREPROCESSING}
