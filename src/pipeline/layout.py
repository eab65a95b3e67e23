"""Where every file and folder of the pipeline is: each path is named here and nowhere else."""

import hashlib
import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote

from pipeline.errors import ConfigError


@dataclass(frozen=True)
class Layout:
    """The paths of one working tree, whose top folder is `root`."""

    root: Path

    @classmethod
    def find(cls, start: Path | None = None) -> "Layout":
        """The nearest folder at or above `start` (default: the working directory) that holds dvc.yaml."""
        here = (start or Path.cwd()).resolve()
        for folder in (here, *here.parents):
            if (folder / "dvc.yaml").is_file():
                return cls(folder)
        raise ConfigError(f"{here}: no dvc.yaml here or above. Run this inside a checkout of the pipeline.")

    @cached_property
    def home(self) -> Path:
        """The checkout that keeps the runs and the MLflow store. It differs from `root` under `dvc exp run --temp`: DVC
        makes the working trees of such experiments in .dvc/tmp/exps/ and throws them away."""
        for parent in self.root.parents:
            if parent.name == "exps" and parent.parent.name == "tmp" and parent.parent.parent.name == ".dvc":
                return parent.parent.parent.parent
        return self.root

    @property
    def conf(self) -> Path:
        return self.root / "conf"

    @property
    def params(self) -> Path:
        return self.root / "params.yaml"

    @property
    def local(self) -> Path:
        """What is said of this machine alone, such as where it finds a mirror. git and DVC leave it alone."""
        return self.home / LOCAL

    @property
    def resolved(self) -> Path:
        return self.root / "build" / "config"

    def resolved_experiment(self, experiment: str) -> Path:
        """All values of an experiment, for people to read; no stage depends on this file."""
        return self.resolved / "experiments" / f"{experiment}.yaml"

    @property
    def raw(self) -> Path:
        """The files that people bring. The stage `configure` depends on this folder."""
        return self.root / "data" / "raw"

    @property
    def raw_digests(self) -> Path:
        """The digests of raw files, which are kept so that nobody reads gigabytes twice."""
        return self.home / "build" / "raw_digests.json"

    def unpacked(self, digest: str) -> Path:
        """What is in an archive whose content has this sha256. Whoever removes it has it unpacked again."""
        return self.home / "build" / "unpacked" / digest

    @property
    def unpacked_archives(self) -> Path:
        """Which archive was unpacked into which of these folders at last."""
        return self.home / "build" / "unpacked.json"

    def prepared(self, dataset: str) -> Path:
        return self.root / "data" / PREPARED / dataset

    def described(self, dataset: str) -> Path:
        """The statistics and the page of a prepared dataset. They are no part of it, since no training reads them."""
        return self.root / "build" / "datasets" / dataset

    def page(self, dataset: str) -> Path:
        return self.described(dataset) / PAGE

    def refused(self, dataset: str) -> Path:
        """The list of what `prepare` has refused of a dataset's rows the last time. It is no output of a stage, since
        DVC removes those of one that fails."""
        return self.home / "build" / "refused" / f"{dataset}.csv"

    def prepared_by_hand(self, name: str) -> Path:
        """The splits of runs by hand. `name` holds a digest of what they were made from; DVC knows nothing of them."""
        return self.runs / "data" / name

    def trained(self, experiment: str) -> Path:
        return self.root / "build" / "train" / experiment

    def evaluated(self, experiment: str) -> Path:
        return self.root / "build" / "evaluate" / experiment

    @property
    def registered(self) -> Path:
        return self.root / "build" / "registered.json"

    @property
    def runs(self) -> Path:
        return self.home / "runs"

    def run(self, identity: str) -> Path:
        """A run's own folder, outside DVC: journal, TensorBoard, checkpoints, lock."""
        return self.runs / identity

    def sweep(self, name: str) -> Path:
        """A sweep's own folder: one record for each job."""
        return self.sweeps / name

    @property
    def sweeps(self) -> Path:
        return self.runs / "sweeps"

    def features(self, key: str) -> Path:
        """How the folders of the features begin that trainings share which have the same key."""
        return self.home / "build" / FEATURES / key

    def output_lock(self, output: Path) -> Path:
        """The lock file that a process holds while it makes the folder `output`. It is in no folder that a stage
        depends on."""
        digest = hashlib.sha256(str(output.resolve()).encode()).hexdigest()[:12]
        return self.lock(f"{output.name}-{digest}")

    def lock(self, name: str) -> Path:
        """The file of a lock that belongs to the whole project, and not to one run or sweep."""
        return self.home / "build" / "locks" / name

    @property
    def tracking_uri(self) -> str:
        """The MLflow store. A relative SQLite path is relative to the project, whichever folder a command runs in."""
        uri = os.environ.get("MLFLOW_TRACKING_URI") or f"{SQLITE}mlflow.db"
        if not uri.startswith(SQLITE):
            # SQLAlchemy's default driver of PostgreSQL is another one than ours.
            return re.sub("^postgres(ql)?://", POSTGRES, uri)
        path, mark, options = uri.removeprefix(SQLITE).partition("?")
        # SQLAlchemy reads the path as part of a URI, in which % and ? have a meaning. A checkout's folder may well be
        # called `feature%2Flogin` or `why?`.
        home = str(self.home).replace("%", "%25").replace("?", "%3F")
        return f"{SQLITE}{path if path.startswith('/') else f'{home}/{path}'}{mark}{options}"

    @property
    def database(self) -> Path | None:
        """The file of a SQLite store; None where the store is a server or another database."""
        uri = self.tracking_uri
        return Path(unquote(uri.removeprefix(SQLITE).partition("?")[0])) if uri.startswith(SQLITE) else None

    @property
    def artifacts(self) -> Path:
        """Artifacts of the default store (a server has its own)."""
        return self.home / "mlartifacts"


SQLITE, POSTGRES = "sqlite:///", "postgresql+psycopg://"
TRAIN, VALIDATION, TEST = SPLITS = ("train", "validation", "test")
LOCAL = "local.yaml"
PREPARED = "prepared"
SCHEMA = "schema.json"
SUMMARY = "summary.json"
MANIFEST = "manifest.json"
BEST_POSSIBLE = "best_possible.json"
RELATED = "related_test_rows.parquet"
STATISTICS = "statistics.json"
PAGE = "page.html"
MODEL = "model.keras"
HISTORY = "history.csv"
IDENTITY = "identity.json"
PREDICTIONS = "predictions.parquet"
METRICS = "metrics.json"
REPORT = "report.json"
SCORES = "scores.parquet"
PLOTS = "plots"
JOURNAL = "journal.jsonl"
JOB = "job.json"
SWEEP = "sweep.json"
OBJECTIVES = "objectives.json"
TOTAL = "scores.json"
LOCK = "lock"
OWNER = "sweep"
CHECKPOINTS = "checkpoints"
FEATURES = "features"
TENSORBOARD = "tensorboard"


def experiment_of(folder: Path) -> str:
    """The experiment whose output `folder` is: build/train/team/small is of team/small."""
    for place in ("train", "evaluate"):
        if place in folder.parts:
            return "/".join(folder.parts[folder.parts.index(place) + 1 :])
    return folder.name


def split_file(split: str) -> str:
    return f"{split}.parquet"
