"""Names and values as MLflow takes them.

A key may hold letters, digits, `_ - . : /` and spaces, must not look like a path that leads elsewhere, and has 250
characters at most; a parameter's value has 6,000, a tag's 8,000 (mlflow/utils/validation.py).
"""

import hashlib
import re

KEY_LENGTH, PARAM_LENGTH, TAG_LENGTH = 250, 6000, 8000


def key(text: str) -> str:
    """`text` as a key of a parameter, metric or tag; as it is where MLflow takes it so."""
    plain = re.sub(r"[^\w.\-: /]", "_", text)
    plain = "/".join(part for part in plain.split("/") if part not in ("", ".", "..")) or "_"
    return plain if len(plain) <= KEY_LENGTH else f"{plain[: KEY_LENGTH - 9]}-{_digest(text)}"


def model_name(experiment: str) -> str:
    """The registered model of an experiment, whose name may have folders in it: team/small is team.small."""
    return experiment.replace("/", ".")


def swept_key(override: str) -> str:
    """The key of one of Hydra's overrides, without the marks before it (`+`, `++`, `~`) and the package behind `@`."""
    return key(override.partition("=")[0].lstrip("+~").partition("@")[0])


def cut(value: str, length: int) -> str:
    """A value that is too long ends in a digest of it, so that two of them stay two."""
    return value if len(value) <= length else f"{value[: length - 9]}-{_digest(value)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
