"""What MLflow reads from the environment, set before its first import; what the user has set wins."""

import os
import re

# Seconds for an answer of a server. MLflow's own defaults, 120 and seven retries, hold a client for minutes where it is
# down. Beside a training nobody waits for the answer, and the next command delivers; where a person waits for the
# result, a slow proxy has its time.
BESIDE_A_TRAINING, FOR_A_PERSON = "3", "30"
DEFAULTS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


def set_defaults(seconds: str = BESIDE_A_TRAINING) -> None:
    """Of two calls the first one counts."""
    for name, value in (DEFAULTS | {"MLFLOW_HTTP_REQUEST_TIMEOUT": seconds}).items():
        os.environ.setdefault(name, value)


def without_password(text: str) -> str:
    """The text with `user:password@` taken out of every URI in it."""
    return re.sub(r"://[^/@\s]*@", "://", text)
