"""What a finished run gets beside its curves: the test metrics, the dataset as its input, and the report."""

import json
import time

from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, RunTag
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

from pipeline.data.history import read_history
from pipeline.data.schema import Schema
from pipeline.files import digest_file
from pipeline.identity import Identity
from pipeline.layout import HISTORY, REPORT, Layout
from pipeline.tracking import views
from pipeline.tracking.runs import tags_of
from pipeline.tracking.store import Store

REPORTED_TAG = "pipeline.reported"


def log_results(store: Store, layout: Layout, experiment: str, identity: Identity, run_id: str) -> None:
    """Add an evaluated experiment's results to its run, once for each report.json."""
    evaluated = layout.evaluated(experiment)
    digest = digest_file(evaluated / REPORT)
    with store.guard():
        run = store.client.get_run(run_id)
        if (reported := run.data.tags.get(REPORTED_TAG)) == digest:
            return
        metrics = json.loads((evaluated / REPORT).read_text(encoding="utf-8"))
        epochs = int(read_history(layout.trained(experiment) / HISTORY)[-1]["epoch"])
        # Of two points at one step MLflow shows the later one, and of two points at one time the greater one.
        when = run.info.end_time if reported is None else time.time_ns() // 1_000_000
        values = {f"test_{name}": interval["value"] for name, interval in metrics["test"].items()}
        values[views.SCORE] = values[f"test_{metrics['primary']}"]
        points = [
            Metric(name, value, when, epochs) for name, value in values.items() if run.data.metrics.get(name) != value
        ]
        # Intervals are tags: as a metric, each end of one would be a chart with a single point.
        ends = {f"test_{name}_{views.INTERVAL}": shown(interval) for name, interval in metrics["test"].items()}
        ends |= {views.INTERVAL: shown(metrics["test"][metrics["primary"]]), views.METRIC: metrics["primary"]}
        store.client.log_batch(run_id, metrics=points, tags=tags_of(ends))
        store.client.log_inputs(run_id, [_dataset(layout, metrics["dataset"], identity)])
        store.client.log_artifacts(run_id, str(evaluated), "report")
        store.client.log_artifact(run_id, str(layout.trained(experiment) / HISTORY), "report")
        store.client.log_batch(run_id, tags=[RunTag(REPORTED_TAG, digest)])


def shown(interval: dict[str, float]) -> str:
    if "low" not in interval:
        return "none"
    return f"{interval['low']:.4g} to {interval['high']:.4g}"


def _dataset(layout: Layout, name: str, identity: Identity) -> DatasetInput:
    folder = layout.prepared(name)
    schema = Schema.read(folder)
    columns = [{"type": f.config.type, "name": f.name, "required": True} for f in schema.features]
    dataset = Dataset(
        name=schema.dataset,
        # MLflow accepts at most 36 characters.
        digest=identity["data"]["train"][:32],
        source_type="local",
        source=json.dumps({"uri": str(folder.relative_to(layout.root))}),
        schema=json.dumps({"mlflow_colspec": columns}),
    )
    return DatasetInput(dataset, [InputTag(MLFLOW_DATASET_CONTEXT, "training")])
