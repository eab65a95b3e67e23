"""What the page shows of the values of a column, by the column's type.

Where numbers and categories will not do, a type has a function in a file of its own, and a line in DETAILS. An edit of
that file then reruns `prepare` of the datasets that have such columns alone.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from markupsafe import Markup, escape

from pipeline.data.profile.drawing import bars, histogram, shares, shown_number
from pipeline.data.profile.pictures import image
from pipeline.data.profile.recordings import audio
from pipeline.data.profile.seen import as_numbers
from pipeline.data.profile.sequences import sequence
from pipeline.data.profile.statistics import counts_of, kind_of
from pipeline.data.profile.texts import text
from pipeline.data.profile.view import View
from pipeline.data.profile.windows import series

MOST_BARS = 12
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def number(view: View) -> Markup:
    return _histogram(view, shown_number)


def date(view: View) -> Markup:
    return _histogram(view, shown_day)


def moment(view: View) -> Markup:
    return _histogram(view, shown_moment)


def _histogram(view: View, show: Callable[[float], str]) -> Markup:
    train, test = (as_numbers(values).to_numpy() for values in view.both())
    return histogram(train, test, show)


def category(view: View) -> Markup:
    train, test = (counts_of(values) for values in view.both())
    names = list(view.statistics.categories)[:MOST_BARS]
    numbers = [[counts[name] for name in names] for counts in (train, test)]
    if rest := len(train | test) - len(names):
        names.append(f"{rest} other" + ("s" if rest > 1 else ""))
        numbers = [[*few, counts.total() - sum(few)] for few, counts in zip(numbers, (train, test), strict=True)]
    return bars(names, *(shares(few) for few in numbers))


DETAILS: dict[str, Callable[[View], Markup]] = {
    "audio": audio,
    "date": date,
    "datetime": moment,
    "image": image,
    "sequence": sequence,
    "series": series,
    "text": text,
}


def details(view: View) -> Markup:
    """What the page shows of a column. Of a type that has no entry in DETAILS it shows the numbers or the categories,
    if it is stored as such."""
    if view.column.config.type in DETAILS:
        return DETAILS[view.column.config.type](view)
    kind = kind_of(view.column)
    return number(view) if kind == "number" else category(view) if kind == "category" else escape("")


def shown_day(days: float) -> str:
    return shown_moment(days * 86_400e6)[:10]


def shown_moment(microseconds: float) -> str:
    """A moment as text; as a number where it is no year that Python knows."""
    try:
        return (EPOCH + timedelta(microseconds=microseconds)).strftime("%Y-%m-%d %H:%M")
    except OverflowError:
        return shown_number(microseconds)
