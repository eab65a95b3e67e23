"""From an evaluated experiment to a verdict: minima, then the paired comparison with the champion."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from mlflow.artifacts import download_artifacts
from mlflow.entities.model_registry import ModelVersion

from pipeline.config import PromotionConfig
from pipeline.data.prepared import read_split
from pipeline.data.schema import Schema
from pipeline.errors import BAD_INPUT, ArtifactError, DataError, TrackingError
from pipeline.evaluation.predictions import read_predictions
from pipeline.evaluation.report import row_scores
from pipeline.layout import IDENTITY, MODEL, TEST, TRAIN, Layout, split_file
from pipeline.registry import evidence
from pipeline.registry.gate import Verdict, compare, judge, unmet_minima
from pipeline.tracking.store import Store


def decide(
    store: Store, experiment: str, identity: dict[str, Any], champion: ModelVersion | None, rule: PromotionConfig
) -> Verdict:
    """The verdict on an experiment's current model."""
    evaluated = store.layout.evaluated(experiment)
    metrics = evidence.read_report(evaluated)
    values = {name: interval["value"] for name, interval in metrics["test"].items()}
    if unmet := unmet_minima(values, rule.minima.get(experiment, {})):
        return Verdict(False, unmet)
    if champion is None:
        return Verdict(True, "first version that meets the minima")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(download_artifacts(champion.source, dst_path=temporary, tracking_uri=store.uri))
        return against(store.layout, experiment, identity, champion, folder, rule)


def against(
    layout: Layout,
    experiment: str,
    identity: dict[str, Any],
    champion: ModelVersion,
    folder: Path,
    rule: PromotionConfig,
) -> Verdict:
    """The verdict against a champion whose model folder is `folder`."""
    name = f"champion version {champion.version}"
    ours = evidence.read_scores(layout.evaluated(experiment))
    known = folder / evidence.FOLDER
    shared = evidence.learned_rows(known) & {evidence.base(row) for row in ours.rows}
    if shared and evidence.read_report(layout.evaluated(experiment))["split"] != "none":
        return Verdict(
            False,
            f"{name} has trained on {len(shared)} rows of this test split and cannot be compared on it; "
            "set the alias by hand if this split is to stay",
        )
    theirs = evidence.read_scores(known)
    if theirs.rows != ours.rows or _test_digest(known) != identity["data"]["test"]:
        try:
            theirs = score_again(layout, identity["dataset"], folder / "data" / MODEL)
        except (ArtifactError, DataError) as error:
            return Verdict(False, f"{name} cannot be compared on this test split: {error}")
    return judge(compare(ours.gain, theirs.gain, rule), name, ours.unit, rule)


def _test_digest(known: Path) -> str:
    import json

    return str(json.loads((known / IDENTITY).read_text(encoding="utf-8"))["data"]["test"])


def score_again(layout: Layout, dataset: str, model: Path) -> evidence.Scores:
    """A model's scores on the current test split, by a process of its own that may import TensorFlow.

    Raises ArtifactError where the model cannot answer these rows.
    """
    prepared = layout.prepared(dataset)
    schema = Schema.read(prepared)
    train, test = read_split(prepared, TRAIN, schema), read_split(prepared, TEST, schema)
    with tempfile.TemporaryDirectory() as temporary:
        output = Path(temporary) / "predictions.parquet"
        command = [sys.executable, "-m", "pipeline.predict", f"model={model}"]
        command += [f"input={prepared / split_file(TEST)}", f"output={output}"]
        environment = os.environ | {"PYTHONPATH": str(layout.root / "src")}
        done = subprocess.run(command, cwd=layout.root, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1].removeprefix("error: ")
            if done.returncode == BAD_INPUT:  # other columns or classes than it was made for
                raise ArtifactError(last.replace(str(model), MODEL))
            raise TrackingError(f"the champion of {dataset} could not be scored on the current test split: {last}")
        kind, scores = row_scores(schema, test, read_predictions(output, schema, test, train))
    gain = -scores if kind == "error" else scores
    return evidence.Scores(test.rows.tolist(), gain, kind)
