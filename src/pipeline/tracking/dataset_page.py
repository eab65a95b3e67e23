"""The page of a run's dataset is kept in the run's folder, so that MLflow can have it anew at any time."""

import os
import shutil
from pathlib import Path

from pipeline.layout import PAGE, Layout


def keep_page(layout: Layout, dataset: str, prepared: Path, run: Path) -> None:
    """Put the page of the dataset in the folder `prepared`, if it has one, into a run's folder. It takes no room of its
    own where the disk allows a second name for a file; a dataset that is prepared anew gets a new file."""
    described = layout.described(dataset) if prepared == layout.prepared(dataset) else prepared
    page, kept = described / PAGE, run / PAGE
    if not page.is_file():
        return
    kept.unlink(missing_ok=True)
    try:
        os.link(page, kept)
    except OSError:
        shutil.copyfile(page, kept)
