"""Versions in the MLflow registry: one for each identity; `champion` and `challenger` are aliases."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_ALREADY_EXISTS, ErrorCode

from pipeline.identity import Identity
from pipeline.registry.gate import Verdict
from pipeline.registry.package import write_mlflow_model
from pipeline.tracking.names import model_name
from pipeline.tracking.store import Store
from pipeline.tracking.sync import IDENTITY_TAG

CHAMPION, CHALLENGER = "champion", "challenger"
VERDICT_TAG, REASON_TAG, REPLACED_TAG = "pipeline.verdict", "pipeline.reason", "pipeline.replaced"
QUESTION_TAG = "pipeline.question"  # of a version: a digest of what its verdict rests on
PUT_TAG = "pipeline.champion"  # of the model: the version that this pipeline gave the alias


@dataclass(frozen=True)
class Aliases:
    """The number of the version that holds `champion`, or None; `by_hand`: it is not where this pipeline put it."""

    champion: str | None
    by_hand: bool


def aliases_of(store: Store, name: str) -> Aliases:
    model = store.client.get_registered_model(name)
    number = model.aliases.get(CHAMPION)
    champion = str(number) if number is not None else None
    # a store from before this tag knows nothing of hands
    put = model.tags.get(PUT_TAG, champion or "")
    return Aliases(champion, (champion or "") != put)


def find_version(store: Store, name: str, identity: str) -> ModelVersion | None:
    """The version of this identity."""
    for version in store.client.search_model_versions(f"name = '{name}'"):
        if version.tags.get(IDENTITY_TAG) == identity:
            return version
    return None


def register_version(store: Store, experiment: str, identity: Identity, run_id: str) -> ModelVersion:
    """The version of this identity, registered where it is not yet."""
    client, name, model = store.client, str(identity["identity"]), model_name(experiment)
    try:
        client.create_registered_model(model)
    except MlflowException as error:
        if error.error_code != ErrorCode.Name(RESOURCE_ALREADY_EXISTS):
            raise
    if found := find_version(store, model, name):
        return found
    tags = {IDENTITY_TAG: name, "pipeline.dataset": identity["dataset"], "pipeline.test": identity["data"]["test"]}
    place = store.experiment(experiment).experiment_id
    for unregistered in client.search_logged_models([place], f"tags.`{IDENTITY_TAG}` = '{name}'"):
        # left by a register that was killed before it made a version of it
        client.delete_logged_model(unregistered.model_id)
    logged = client.create_logged_model(
        place, name=model.replace(".", "-"), source_run_id=run_id, tags=tags, model_type="keras"
    )
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "model"
        write_mlflow_model(store.layout, experiment, identity["dataset"], run_id, logged.model_id, folder)
        client.log_model_artifacts(logged.model_id, str(folder))
    client.finalize_logged_model(logged.model_id, "READY")
    return client.create_model_version(model, logged.artifact_location, run_id, tags=tags, model_id=logged.model_id)


def apply_verdict(
    store: Store, version: ModelVersion, champion: ModelVersion | None, verdict: Verdict, question: str
) -> None:
    """Write the reason, move the alias, and at last write the verdict on `question`: a version without one is judged
    again, so a kill in between loses nothing."""
    client, name, number = store.client, version.name, version.version
    tags = {REASON_TAG: verdict.reason}
    if verdict.promoted and champion is not None:
        tags[REPLACED_TAG] = str(champion.version)
    _set_tags(store, version, tags)
    if verdict.promoted:
        client.set_registered_model_tag(name, PUT_TAG, str(number))
        client.set_registered_model_alias(name, CHAMPION, number)
        finish_promotion(store, version, question)
        return
    if str(client.get_registered_model(name).aliases.get(CHALLENGER)) != str(number):
        client.set_registered_model_alias(name, CHALLENGER, number)
    _set_tags(store, version, {QUESTION_TAG: question, VERDICT_TAG: CHALLENGER})


def finish_promotion(store: Store, version: ModelVersion, question: str) -> None:
    """What follows once a version has the alias `champion`."""
    client, name = store.client, version.name
    if str(client.get_registered_model(name).aliases.get(CHALLENGER)) == str(version.version):
        client.delete_registered_model_alias(name, CHALLENGER)
    client.set_registered_model_tag(name, PUT_TAG, str(version.version))
    _set_tags(store, version, {QUESTION_TAG: question, VERDICT_TAG: CHAMPION})


def _set_tags(store: Store, version: ModelVersion, tags: dict[str, str]) -> None:
    for key, value in tags.items():
        if version.tags.get(key) != value:
            store.client.set_model_version_tag(version.name, version.version, key, value)
