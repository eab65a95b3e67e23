"""What MLflow reads from the environment, set before its first import; what the user has set wins."""

import os
import re

DEFAULTS = {
    # a server that does not answer holds a client for over 200 s by MLflow's own defaults
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "3",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


def set_defaults() -> None:
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)


def without_password(text: str) -> str:
    """The text with `user:password@` taken out of every URI in it."""
    return re.sub(r"://[^/@\s]*@", "://", text)
