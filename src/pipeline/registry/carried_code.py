"""The code that a registered model carries: what serving/raw_model.py can reach, as a package of a name of its own.

With the name of this package, a process could not hold two versions of it: a model of last year, and this one.
"""

import hashlib
import re
from pathlib import Path

from pipeline.reach import reach

PACKAGE, LOADER = "pipeline", "serving.raw_model"
OWN_IMPORT = re.compile(rf"^(\s*(?:from|import) ){PACKAGE}\b", re.MULTILINE)


def write_code(package: Path, folder: Path) -> str:
    """Copy the code from `package` (src/pipeline) into `folder`, and return the name of the module to load."""
    names = [*reach(package, LOADER, {}, ())]
    texts = {name: (package / name).read_text(encoding="utf-8") for name in names}
    digest = hashlib.sha256("".join(f"{name}\0{texts[name]}\0" for name in sorted(texts)).encode()).hexdigest()[:12]
    own = f"{PACKAGE}_{digest}"
    for name, text in texts.items():
        path = folder / own / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(OWN_IMPORT.sub(rf"\g<1>{own}", text), encoding="utf-8")
    for parent in {parent for name in names for parent in (folder / own / name).parents if parent != folder}:
        if parent.is_relative_to(folder):
            (parent / "__init__.py").touch()
    return f"{own}.{LOADER}"
