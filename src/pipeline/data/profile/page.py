"""page.html: what a prepared dataset holds, for people. One file, which needs nothing else and has the same bytes each
time."""

from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from pipeline.config import DatasetConfig
from pipeline.data.profile.details import details, shown_day, shown_moment
from pipeline.data.profile.drawing import shown_number
from pipeline.data.profile.seen import Seen
from pipeline.data.profile.statistics import ColumnStatistics
from pipeline.data.profile.template import PAGE, STYLE
from pipeline.data.profile.texts import visible
from pipeline.data.profile.view import View
from pipeline.data.schema import Schema
from pipeline.data.splits import Summary
from pipeline.files import write_text
from pipeline.layout import SPLITS, TEST, TRAIN

MOST_BYTES = 1_900_000  # of the page, before columns are left out of it
MOST_LETTERS = 5000  # of a remark
MOST_CLASSES = 300  # whose rows are told one by one
ENDS = {"date": shown_day, "datetime": shown_moment}


@dataclass(frozen=True)
class About:
    """What is known of a dataset when its rows are dealt out. `remarks` are the lines that `prepare` has printed."""

    dataset: DatasetConfig
    schema: Schema
    summary: Summary
    seen: Seen
    statistics: list[ColumnStatistics]
    duplicates: int
    conflicts: int
    remarks: list[str]


def write_page(path: Path, about: About) -> None:
    from jinja2 import Environment

    page = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(PAGE)
    above = {
        "name": about.dataset.name,
        "style": Markup(STYLE),
        "facts": facts(about),
        "splits": SPLITS,
        "rows": counts(about.summary),
        "remarks": remarks(about),
        "sampled": sampled(about.seen),
    }
    columns, left_out = shown_columns(about, len(page.render(above).encode()))
    write_text(path, page.render(above, columns=columns, left_out=left_out))


def facts(about: About) -> list[tuple[str, str]]:
    dataset = about.dataset
    roles = {role: getattr(dataset, role) for role in ("weight", "group", "time", "fold")}
    return [
        ("task", f"{dataset.task} of {about.schema.target}"),
        ("source", dataset.source),
        ("split", ", ".join([dataset.split, *(f"{role}: {name}" for role, name in roles.items() if name)])),
        ("features", f"{len(about.schema.features):,}"),
        ("repeated rows", f"{about.duplicates:,} have the features of an earlier row"),
        (
            "contradictions",
            f"{about.conflicts:,} have the features of others, but not their most frequent target",
        ),
    ]


def counts(summary: Summary) -> list[tuple[str, list[str]]]:
    """How many rows each split has, in all and of each class, with their share. Where there are very many classes, all
    but the first ones are told as one."""
    rows = [("all", [f"{summary[split]['rows']:,}" for split in SPLITS])]
    names = list(summary[TRAIN]["classes"])
    told = [(visible(name), [name]) for name in names[:MOST_CLASSES]]
    if rest := names[MOST_CLASSES:]:
        told.append((f"{len(rest):,} more classes", rest))
    for label, some in told:
        found = ((sum(summary[split]["classes"][name] for name in some), summary[split]["rows"]) for split in SPLITS)
        rows.append((label, [f"{count:,} ({100 * count / max(1, total):.1f} %)" for count, total in found]))
    return rows


def remarks(about: About) -> list[str]:
    """What `prepare` has printed, without the dataset's name, which stands above."""
    lines = (line.removeprefix(f"{about.dataset.name}: ") for line in about.remarks)
    return [visible(line, MOST_LETTERS) for line in lines] or ["Nothing that stands out."]


def sampled(seen: Seen) -> str:
    """Of which rows the values are shown."""
    numbers = [(split, seen.splits[split].sample.rows().num_rows, seen.splits[split].rows) for split in (TRAIN, TEST)]
    some = [f"{number:,} of {rows:,} {split} rows" for split, number, rows in numbers if number < rows]
    return f"Distinct values and pictures are of {' and '.join(some)}, drawn by row id." if some else ""


def shown_columns(about: About, used: int) -> tuple[list[dict[str, object]], str]:
    """The columns as the page shows them, the target first, and which of them the page has no room for. So many of its
    bytes are used already."""
    train, test = (about.seen.splits[split].sample.rows() for split in (TRAIN, TEST))
    pairs = list(zip(about.seen.columns, about.statistics, strict=True))
    shown = list[dict[str, object]]()
    for column, known in [pairs[-1], *pairs[:-1]]:
        drawn = details(View(column, known, train, test, about.schema.classes))
        size = len(drawn.encode()) + len(column.name.encode()) + 500
        if used + size > MOST_BYTES:
            continue
        used += size
        target = column is about.seen.columns[-1]
        show = ENDS.get(column.config.type, shown_number)
        shown.append(
            {
                "name": about.schema.target if target else column.name,
                "type": f"{column.config.type}{' (target)' if target else ''}",
                "missing": f"{known.missing:,}" if known.missing else "",
                "distinct": f"{known.distinct:,}" if known.distinct else "",
                "range": " to ".join(map(show, known.range)) if known.range else "",
                "details": drawn,
            }
        )
    rest = len(pairs) - len(shown)
    return shown, f"{rest} more of the columns are not shown, to keep this page small." if rest else ""
