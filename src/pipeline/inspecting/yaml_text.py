"""The YAML files of a dataset and of an experiment with it, as text, and the dataset that such a text stands for."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from omegaconf import OmegaConf

from pipeline.config import check_all
from pipeline.data.sources.table import TableDataset
from pipeline.inspecting.files import Files
from pipeline.inspecting.found import Found
from pipeline.inspecting.proposal import Proposal, options_of
from pipeline.tasks import TASKS

# what YAML reads as a text without quotes, whoever reads it
PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*([ ./()%*-]+[A-Za-z0-9_()%]+)*")
OTHER = ("true", "false", "yes", "no", "on", "off", "null", "none", "nan", "inf")


@dataclass(frozen=True)
class FirstModel:
    """What a new dataset is tried with: a family, the question that it answers, and settings that do for most data."""

    family: str
    question: str
    settings: str


# The settings are those of conf/experiment/logistic_breast_cancer.yaml and linear_diabetes.yaml.
OF_CLASSES = FirstModel(
    "logistic",
    "How well does a weighted sum of the columns tell the classes of {target} apart?",
    "model:\n  l2: 0.001\ntrainer:\n  epochs: 100\n  optimizer:\n    learning_rate: 0.05\n    schedule: cosine\n",
)
OF_NUMBERS = FirstModel(
    "linear",
    "How much of {target} does a weighted sum of the columns explain?",
    "trainer:\n  epochs: 200\n  batch_size: 32\n  optimizer:\n    learning_rate: 0.5\n    schedule: cosine\n",
)


def dataset_text(proposal: Proposal, files: Files, path: str, command: str) -> str:
    """The whole content of conf/dataset/<name>.yaml."""
    looked = "all" if files.whole else f"the first {files.num_rows:,}"
    lines = [
        f"# {_comment(command)}",
        f"# proposed this from {looked} rows. Nothing is guessed again later.",
        "defaults:",
    ]
    lines += ["  - table_schema", "", f"path: {_plain(path)}", *_layout(files)]
    lines += [f"task: {proposal.task}", f"target: {_plain(proposal.target.name)}"]
    if proposal.skip:
        lines.append(f"on_bad_row: skip  # {_comment('; '.join(proposal.skip))}")
    lines.append("columns:")
    standard = "category" if TASKS[proposal.task].has_classes else "number"
    target = options_of(proposal.target)
    named = [*([proposal.target] if target != {"type": standard} else []), *proposal.features]
    lines += [f"  {_key(found.name)}: {_column(options_of(found))}{_doubts(found)}" for found in named]
    if proposal.left_out:
        lines.append("# left out:")
        lines += [
            f"#   {_comment(_key(found.name))}: {_comment('; '.join(found.remarks))}" for found in proposal.left_out
        ]
    return "\n".join(lines) + "\n"


def _layout(files: Files) -> list[str]:
    """What of the files' layout is not a dataset's default."""
    layout, standard = files.layout, TableDataset()
    told: dict[str, object] = {"format": files.format_key, "encoding": layout.encoding}
    if files.has_cells:
        told |= {"separator": files.separator, "header": layout.header}
        told |= {"quote": layout.quote, "newlines": layout.newlines}
    return [f"{key}: {_value(value)}" for key, value in told.items() if value != getattr(standard, key)]


def _column(options: Mapping[str, object]) -> str:
    if list(options) == ["type"]:
        return str(options["type"])
    return "{" + ", ".join(f"{key}: {_value(value)}" for key, value in options.items()) + "}"


def _value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "[" + ", ".join(map(_plain, value)) + "]" if isinstance(value, list) else _plain(str(value))


def _key(text: str) -> str:
    """A text as YAML writes it, within { } and [ ], too."""
    if PLAIN.fullmatch(text) and text.lower() not in OTHER:
        return text
    # what JSON writes in quotes is the same text in YAML
    return json.dumps(text, ensure_ascii=not text.isprintable())


def _plain(text: str) -> str:
    """As `_key`, for a value: there OmegaConf looks for ${, but not in keys."""
    return _key(text.replace("${", "\\${"))


def _doubts(found: Found) -> str:
    return f"  # {_comment('; '.join(found.doubts))}" if found.doubts else ""


def _comment(text: str) -> str:
    """A text that stays in its line."""
    return " ".join(text.split())


def experiment_text(model: FirstModel, dataset: str, experiment: str, target: str) -> str:
    """The whole content of conf/experiment/<experiment>.yaml."""
    return (
        "# @package _global_\n"
        f"# {model.question.format(target=_comment(target))}\n"
        f"#   make repro EXPERIMENT={experiment}\n"
        f"defaults:\n  - override /dataset: {dataset}\n  - override /model: {model.family}\n\n"
        f"{model.settings}"
    )


def first_model(task: str) -> FirstModel:
    return OF_CLASSES if TASKS[task].has_classes else OF_NUMBERS


def dataset_of(text: str, name: str) -> TableDataset:
    """The dataset that the content of a YAML file stands for, as Hydra would compose it. Raises ConfigError."""
    node: Any = OmegaConf.create(text)
    del node["defaults"]
    config: Any = OmegaConf.to_object(
        OmegaConf.merge(OmegaConf.structured(TableDataset(name=name, source="table")), node)
    )
    check_all(config)
    made: TableDataset = config
    return made
