"""What the page shows of the values of a column, by the column's type.

Another type, of recordings for example, is one more function and a line in DETAILS.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
from markupsafe import Markup, escape

from pipeline.data.prepared import TARGET
from pipeline.data.profile.drawing import bars, histogram, picture, shown_number
from pipeline.data.profile.pictures import pictures
from pipeline.data.profile.seen import as_numbers
from pipeline.data.profile.statistics import ColumnStatistics, counts_of, lengths_of
from pipeline.data.schema import Column

MOST_BARS, MOST_CLASSES = 12, 12
TEXTS_OF_CLASS, TEXT_LENGTH = 3, 300
PICTURES_OF_CLASS = 8
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# control characters, which HTML may not hold, and what a person sees in their place
VISIBLE = {code: f"\\x{code:02x}" for code in (*range(9), 11, 12, *range(14, 32), 127)}


@dataclass(frozen=True)
class View:
    """One column: what is known of it, and the sampled rows for training and for testing, with all of their columns."""

    column: Column
    statistics: ColumnStatistics
    train: pa.Table
    test: pa.Table
    classes: list[str]

    def values(self, rows: pa.Table) -> pa.ChunkedArray:
        """The column's values in some rows, without the missing ones."""
        return rows[self.column.name].drop_null()

    def by_class(self, most: int) -> list[tuple[str, pa.ChunkedArray]]:
        """The first values of each class in the training rows; of all rows where the target is a number."""
        known = self.train.filter(self.train[self.column.name].is_valid())
        if not self.classes:
            return [("", known[self.column.name].slice(0, most * MOST_CLASSES))]
        labels = np.array(known[TARGET].to_pylist())
        return [
            (name, known[self.column.name].take(pa.array(np.flatnonzero(labels == name)[:most])))
            for name in self.classes[:MOST_CLASSES]
        ]


def number(view: View) -> Markup:
    return _histogram(view, shown_number)


def date(view: View) -> Markup:
    return _histogram(view, shown_day)


def moment(view: View) -> Markup:
    return _histogram(view, shown_moment)


def _histogram(view: View, show: Callable[[float], str]) -> Markup:
    train, test = (as_numbers(view.values(rows)).to_numpy() for rows in (view.train, view.test))
    return histogram(train, test, show)


def category(view: View) -> Markup:
    train, test = (counts_of(view.values(rows)) for rows in (view.train, view.test))
    names = list(view.statistics.categories)[:MOST_BARS]
    shares = [[counts[name] / max(1, counts.total()) for name in names] for counts in (train, test)]
    if rest := len(train | test) - len(names):
        names.append(f"{rest} other" + ("s" if rest > 1 else ""))
        shares = [[*of_names, 1 - sum(of_names)] for of_names in shares]
    return bars(names, *shares)


def text(view: View) -> Markup:
    train, test = (lengths_of(view.values(rows)).astype(float) for rows in (view.train, view.test))
    shown = [Markup("<p>characters</p>"), histogram(train, test)]
    for name, texts in view.by_class(TEXTS_OF_CLASS):
        items = (Markup("<li><bdi>{}</bdi></li>").format(visible(text)) for text in texts.to_pylist())
        shown.append(Markup("<p>{}</p><ul>{}</ul>").format(name, Markup("").join(items)))
    return Markup("").join(shown)


def image(view: View) -> Markup:
    shown = []
    for name, values in view.by_class(PICTURES_OF_CLASS):
        drawn = [picture(pixels, name) for pixels in pictures(view.column, values)]
        shown.append(Markup("<p>{}</p><div class=pictures>{}</div>").format(name, Markup("").join(drawn)))
    return Markup("").join(shown)


DETAILS: dict[str, Callable[[View], Markup]] = {
    "boolean": category,
    "category": category,
    "date": date,
    "datetime": moment,
    "image": image,
    "number": number,
    "text": text,
}


def details(view: View) -> Markup:
    """What the page shows of a column. A type that has no entry in DETAILS is shown by its numbers, if it has some."""
    if view.column.config.type in DETAILS:
        return DETAILS[view.column.config.type](view)
    return number(view) if view.statistics.quantiles else escape("")


def visible(text: str) -> str:
    """The beginning of a text, without what HTML may not hold."""
    short = text if len(text) <= TEXT_LENGTH else f"{text[:TEXT_LENGTH]} ... ({len(text):,} characters)"
    return short.translate(VISIBLE)


def shown_day(days: float) -> str:
    return shown_moment(days * 86_400e6)[:10]


def shown_moment(microseconds: float) -> str:
    """A moment as text; as a number where it is no year that Python knows."""
    try:
        return (EPOCH + timedelta(microseconds=microseconds)).strftime("%Y-%m-%d %H:%M")
    except OverflowError:
        return shown_number(microseconds)
