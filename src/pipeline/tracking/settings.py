"""What MLflow reads from the environment, set before its first import. A value that the user has set wins."""

import os
import re

# How many seconds a server has to answer. With MLflow's own defaults, 120 seconds and seven retries, a server that is
# down holds its client for minutes. Beside a training nobody waits for the answer, and the next command delivers what
# is left. Where a person waits for the result, a slow proxy gets more time.
BESIDE_A_TRAINING, FOR_A_PERSON = "3", "30"
DEFAULTS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


def set_defaults(seconds: str = BESIDE_A_TRAINING) -> None:
    """Set what the environment does not say yet; of two calls, the first one therefore counts."""
    for name, value in (DEFAULTS | {"MLFLOW_HTTP_REQUEST_TIMEOUT": seconds}).items():
        os.environ.setdefault(name, value)


def without_password(text: str) -> str:
    """The text with `user:password@` taken out of every URI in it, and the value of `password=`."""
    return _hide_option(re.sub(r"://[^/\s]*@", "://", text))


def hide_password(text: str) -> str:
    """The text with the passwords of its URIs taken out and the users left, so that the rest can be used again. Also
    one goes with a slash or an @ in it, which should have been written as %2F or %40."""
    return _hide_option(re.sub(r"(://[^:/@\s]*):[^\s]*@", r"\1@", text))


def _hide_option(text: str) -> str:
    return re.sub(r"password=[^&\s'\"]*", "password=...", text)
