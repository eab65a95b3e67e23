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
from pipeline.tracking.runs import IDENTITY_TAG
from pipeline.tracking.store import Store

CHAMPION, CHALLENGER = "champion", "challenger"
VERDICT_TAG, REASON_TAG, REPLACED_TAG = "pipeline.verdict", "pipeline.reason", "pipeline.replaced"
QUESTION_TAG = "pipeline.question"  # a version's tag: the digest of everything that its verdict depends on
CHAMPION_SET_TAG = "pipeline.champion"  # a registered model's tag: the version to which this pipeline gave the alias


@dataclass(frozen=True)
class Aliases:
    """`champion` is the number of the version that has this alias, or None. `by_hand` is true where the alias is not at
    the version to which this pipeline gave it."""

    champion: str | None
    by_hand: bool


def aliases_of(store: Store, name: str) -> Aliases:
    model = store.client.get_registered_model(name)
    number = model.aliases.get(CHAMPION)
    champion = str(number) if number is not None else None
    # A store from before this tag cannot tell whether somebody has moved the alias; it counts as not moved.
    put = model.tags.get(CHAMPION_SET_TAG, champion or "")
    return Aliases(champion, (champion or "") != put)


def find_version(store: Store, name: str, identity: str) -> ModelVersion | None:
    """The version of this identity, or None where there is none."""
    for version in store.client.search_model_versions(f"name = '{name}'"):
        if version.tags.get(IDENTITY_TAG) == identity:
            return version
    return None


def register_version(store: Store, experiment: str, identity: Identity, run_id: str) -> ModelVersion:
    """The version of this identity; it is registered where it is missing."""
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
        # An earlier `register` was killed before it made a version of this model.
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
    """Write the reason, move the alias, and last of all write the verdict on `question`. A version without a verdict is
    judged again, so a kill in between loses nothing."""
    client, name, number = store.client, version.name, version.version
    tags = {REASON_TAG: verdict.reason}
    if verdict.promoted and champion is not None:
        tags[REPLACED_TAG] = str(champion.version)
    _set_tags(store, version, tags)
    if verdict.promoted:
        client.set_registered_model_tag(name, CHAMPION_SET_TAG, str(number))
        client.set_registered_model_alias(name, CHAMPION, number)
        finish_promotion(store, version, question)
        return
    if str(client.get_registered_model(name).aliases.get(CHALLENGER)) != str(number):
        client.set_registered_model_alias(name, CHALLENGER, number)
    _set_tags(store, version, {QUESTION_TAG: question, VERDICT_TAG: CHALLENGER})


def finish_promotion(store: Store, version: ModelVersion, question: str) -> None:
    """Do what is left once a version has the alias `champion`: take the alias `challenger` away from it, note that this
    pipeline set the alias, and write the verdict."""
    client, name = store.client, version.name
    if str(client.get_registered_model(name).aliases.get(CHALLENGER)) == str(version.version):
        client.delete_registered_model_alias(name, CHALLENGER)
    client.set_registered_model_tag(name, CHAMPION_SET_TAG, str(version.version))
    _set_tags(store, version, {QUESTION_TAG: question, VERDICT_TAG: CHAMPION})


def _set_tags(store: Store, version: ModelVersion, tags: dict[str, str]) -> None:
    for key, value in tags.items():
        if version.tags.get(key) != value:
            store.client.set_model_version_tag(version.name, version.version, key, value)
