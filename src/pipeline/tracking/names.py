"""Names and values in the form that MLflow accepts.

A key may hold letters, digits, `_ - . : /` and spaces. It must not look like a path that leads elsewhere, and may have
250 characters. The value of a parameter may have 6,000 and that of a tag 8,000 (mlflow/utils/validation.py).
"""

import hashlib
import re

KEY_LENGTH, PARAM_LENGTH, TAG_LENGTH = 250, 6000, 8000


def key(text: str) -> str:
    """`text` as the key of a parameter, metric or tag. It is unchanged where MLflow accepts it as it is."""
    plain = re.sub(r"[^\w.\-: /]", "_", text)
    plain = "/".join(part for part in plain.split("/") if part not in ("", ".", "..")) or "_"
    return plain if len(plain) <= KEY_LENGTH else f"{plain[: KEY_LENGTH - 9]}-{_digest(text)}"


def model_name(experiment: str) -> str:
    """The name of an experiment's registered model. An experiment may stand in a folder: team/small is team.small."""
    return experiment.replace("/", ".")


def swept_key(override: str) -> str:
    """The key of one of Hydra's overrides, without the marks before it (`+`, `++`, `~`) and the package behind `@`."""
    return key(override.partition("=")[0].lstrip("+~").partition("@")[0])


def cut(value: str, length: int) -> str:
    """The value, or where it is too long its beginning and a digest of it, so that different values stay different."""
    return value if len(value) <= length else f"{value[: length - 9]}-{_digest(value)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
