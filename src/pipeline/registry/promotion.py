"""From an evaluated experiment to a verdict: minima, then the paired comparison with the champion."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from mlflow.artifacts import download_artifacts
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from pipeline.config import PromotionConfig
from pipeline.data.prepared import SplitFile
from pipeline.data.sampling import sample
from pipeline.data.schema import Schema
from pipeline.errors import BAD_INPUT, ArtifactError, DataError, TrackingError
from pipeline.evaluation.predictions import read_predictions
from pipeline.evaluation.reference import most_rows
from pipeline.files import digest_file, digest_value
from pipeline.identity import Identity, read_identity
from pipeline.layout import MODEL, REPORT, SCORES, TEST, TRAIN, Layout, split_file
from pipeline.registry import evidence, versions
from pipeline.registry.gate import Verdict, compare, judge, unmet_minima
from pipeline.tasks import TASKS
from pipeline.tracking.store import Store


def standing_of(
    store: Store, experiment: str, identity: Identity, version: ModelVersion, rule: PromotionConfig
) -> tuple[str, str]:
    """Whether the version of this identity is champion or challenger, and why.

    A verdict is given once for an identity, its evidence and the rule. An alias that was set by hand is respected until
    a new identity comes, which is then compared with the version that has the alias.
    """
    aliases = versions.aliases_of(store, version.name)
    number, champion = str(version.version), aliases.champion
    question = verdict_question(store.layout, experiment, rule)
    judged = version.tags.get(versions.VERDICT_TAG)
    if judged is not None and (aliases.by_hand or version.tags.get(versions.QUESTION_TAG) == question):
        reason = version.tags.get(versions.REASON_TAG, "")
        if champion == number:
            return versions.CHAMPION, f"version {number}, set by hand" if aliases.by_hand else reason
        if aliases.by_hand:
            holder = f"version {champion}, set by hand" if champion else "no version, by hand"
            return versions.CHALLENGER, f"champion is {holder}; {number} stays challenger"
        if judged == versions.CHAMPION:
            return versions.CHALLENGER, f"was champion until version {champion}"
        return versions.CHALLENGER, reason
    if champion == number:
        # Either an earlier `register` was killed just after it had moved the alias, or the rule has changed. The
        # champion need not pass a new rule: its own scores are as good as they were.
        versions.finish_promotion(store, version, question)
        return versions.CHAMPION, version.tags.get(versions.REASON_TAG, "")
    held = store.client.get_model_version(version.name, champion) if champion else None
    decided = decide(store, experiment, identity, held, rule)
    versions.apply_verdict(store, version, held, decided, question)
    return versions.CHAMPION if decided.promoted else versions.CHALLENGER, decided.reason


def verdict_question(layout: Layout, experiment: str, rule: PromotionConfig) -> str:
    """A digest of everything that a verdict on an identity depends on: its report, its scores, and the rule for it."""
    evaluated = layout.evaluated(experiment)
    minima = rule.minima.get(experiment, {})
    asked = [digest_file(evaluated / REPORT), digest_file(evaluated / SCORES), rule.confidence, rule.resamples, minima]
    return digest_value(asked)[:12]


def decide(
    store: Store, experiment: str, identity: Identity, champion: ModelVersion | None, rule: PromotionConfig
) -> Verdict:
    """The verdict on an experiment's current model: the minima first, then the comparison with the champion."""
    report = evidence.read_report(store.layout.evaluated(experiment))
    values = {name: interval["value"] for name, interval in report["test"].items()}
    if unmet := unmet_minima(values, rule.minima.get(experiment, {}), TASKS[report["task"]]):
        return Verdict(False, unmet)
    if champion is None:
        return Verdict(True, "first version that meets the minima")
    with tempfile.TemporaryDirectory() as temporary:
        try:
            folder = Path(download_artifacts(champion.source, dst_path=temporary, tracking_uri=store.uri))
        except (FileNotFoundError, MlflowException) as error:
            if isinstance(error, MlflowException) and "No such artifact" not in str(error):
                raise
            folder = Path(temporary)  # the champion was registered by hand, and its files are gone
        if not evidence.has_evidence(folder / evidence.FOLDER):
            return Verdict(
                False,
                f"champion version {champion.version} has no evidence (it was not registered by this pipeline) and "
                "cannot be compared; set the alias by hand",
            )
        return judge_against(store.layout, experiment, identity, champion, folder, rule)


def judge_against(
    layout: Layout,
    experiment: str,
    identity: Identity,
    champion: ModelVersion,
    folder: Path,
    rule: PromotionConfig,
) -> Verdict:
    """The verdict against a champion whose model folder is `folder`."""
    name = f"champion version {champion.version}"
    ours = evidence.read_gains(layout.evaluated(experiment))
    known = folder / evidence.FOLDER
    shared = evidence.learned_rows(known) & {evidence.digest_of_row(row) for row in ours.rows}
    if shared and evidence.read_report(layout.evaluated(experiment))["split"] != "none":
        return Verdict(
            False,
            f"{name} has trained on {len(shared)} rows of this test split and cannot be compared on it; "
            "set the alias by hand if this split is to stay",
        )
    theirs = evidence.read_gains(known)
    if theirs.rows != ours.rows or read_identity(known)["data"]["test"] != identity["data"]["test"]:
        try:
            theirs = score_again(layout, identity["dataset"], folder / "data" / MODEL)
        except (ArtifactError, DataError) as error:
            return Verdict(False, f"{name} cannot be compared on this test split: {error}")
    # The champion may have been scored before test rows had units, which are the candidate's in any case.
    return judge(compare(ours.gain, theirs.gain, rule, ours.unit_N), name, ours.measure, rule)


def score_again(layout: Layout, dataset: str, model: Path) -> evidence.RowGains:
    """A model's scores on the current test split, by a process of its own that may import TensorFlow.

    Raises ArtifactError where the model cannot answer these rows.
    """
    prepared = layout.prepared(dataset)
    schema = Schema.read(prepared)
    all_train, test = (SplitFile(prepared / split_file(split), schema) for split in (TRAIN, TEST))
    train = sample(all_train, most_rows(schema))
    with tempfile.TemporaryDirectory() as temporary:
        output = Path(temporary) / "predictions.parquet"
        command = [sys.executable, "-m", "pipeline.predict", f"model={model}"]
        command += [f"input={prepared / split_file(TEST)}", f"output={output}"]
        environment = os.environ | {"PYTHONPATH": str(layout.root / "src")}
        done = subprocess.run(command, cwd=layout.root, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1].removeprefix("error: ")
            if done.returncode == BAD_INPUT:  # the rows have other columns or classes than the model was made for
                raise ArtifactError(last.replace(str(model), MODEL))
            raise TrackingError(f"the champion of {dataset} could not be scored on the current test split: {last}")
        answers = read_predictions(output, schema, test, train)
    task = TASKS[schema.task]
    return evidence.RowGains.of(task, test.rows.tolist(), task.row_scores(test.target, answers))
