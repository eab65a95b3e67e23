"""Versions in the MLflow registry: one for each identity; `champion` and `challenger` are aliases."""

import tempfile
from pathlib import Path
from typing import Any

from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_ALREADY_EXISTS, ErrorCode

from pipeline.registry.gate import Verdict
from pipeline.registry.package import write_mlflow_model
from pipeline.tracking.store import Store
from pipeline.tracking.sync import IDENTITY_TAG

CHAMPION, CHALLENGER = "champion", "challenger"
VERDICT_TAG, REASON_TAG, REPLACED_TAG = "pipeline.verdict", "pipeline.reason", "pipeline.replaced"


def find_version(store: Store, name: str, identity: str) -> ModelVersion | None:
    """The version of this identity."""
    for version in store.client.search_model_versions(f"name = '{name}'"):
        if version.tags.get(IDENTITY_TAG) == identity:
            return version
    return None


def champion_of(store: Store, name: str) -> ModelVersion | None:
    """The version that holds the alias `champion`."""
    number = store.client.get_registered_model(name).aliases.get(CHAMPION)
    return store.client.get_model_version(name, number) if number is not None else None


def register_version(store: Store, experiment: str, identity: dict[str, Any], run_id: str) -> ModelVersion:
    """The version of this identity, registered where it is not yet."""
    client, name = store.client, str(identity["identity"])
    try:
        client.create_registered_model(experiment)
    except MlflowException as error:
        if error.error_code != ErrorCode.Name(RESOURCE_ALREADY_EXISTS):
            raise
    if found := find_version(store, experiment, name):
        return found
    tags = {IDENTITY_TAG: name, "pipeline.dataset": identity["dataset"], "pipeline.test": identity["data"]["test"]}
    place = store.experiment(experiment).experiment_id
    for unregistered in client.search_logged_models([place], f"tags.`{IDENTITY_TAG}` = '{name}'"):
        # left by a register that was killed before it made a version of it
        client.delete_logged_model(unregistered.model_id)
    logged = client.create_logged_model(place, name=experiment, source_run_id=run_id, tags=tags, model_type="keras")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "model"
        write_mlflow_model(store.layout, experiment, identity["dataset"], run_id, logged.model_id, folder)
        client.log_model_artifacts(logged.model_id, str(folder))
    client.finalize_logged_model(logged.model_id, "READY")
    return client.create_model_version(
        experiment, logged.artifact_location, run_id, tags=tags, model_id=logged.model_id
    )


def apply_verdict(store: Store, version: ModelVersion, champion: ModelVersion | None, verdict: Verdict) -> None:
    """Move the aliases and write the reason; what already stands so is left alone."""
    client, name, number = store.client, version.name, version.version
    aliases = client.get_registered_model(name).aliases
    word = CHAMPION if verdict.promoted else CHALLENGER
    if str(aliases.get(word)) != str(number):
        client.set_registered_model_alias(name, word, number)
    if verdict.promoted and str(aliases.get(CHALLENGER)) == str(number):
        client.delete_registered_model_alias(name, CHALLENGER)
    tags = {VERDICT_TAG: word, REASON_TAG: verdict.reason}
    if verdict.promoted and champion is not None:
        tags[REPLACED_TAG] = str(champion.version)
    for key, value in tags.items():
        if version.tags.get(key) != value:
            client.set_model_version_tag(name, number, key, value)
