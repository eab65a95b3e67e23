"""Texts: how long they are, and the first of each class."""

from collections.abc import Callable

from markupsafe import Markup

from pipeline.data.profile.drawing import histogram
from pipeline.data.profile.statistics import lengths_of
from pipeline.data.profile.view import View

TEXTS_OF_CLASS, TEXT_LENGTH = 3, 300
# control characters, which HTML may not hold, and what a person sees in their place
VISIBLE = {code: f"\\x{code:02x}" for code in (*range(9), 11, 12, *range(14, 32), 127)}


def text(view: View) -> Markup:
    return lengths(view, "characters") + examples(view, visible)


def lengths(view: View, unit: str) -> Markup:
    """A histogram of how many characters the texts have."""
    train, test = (lengths_of(values).astype(float) for values in view.both())
    return Markup("<p>{}</p>{}").format(unit, histogram(train, test))


def examples(view: View, show: Callable[[str], str | Markup]) -> Markup:
    """The first texts of each class."""
    shown = []
    for name, texts in view.by_class(TEXTS_OF_CLASS):
        items = (Markup("<li><bdi>{}</bdi></li>").format(show(value)) for value in texts.to_pylist())
        shown.append(Markup("<p>{}</p><ul>{}</ul>").format(name, Markup("").join(items)))
    return Markup("").join(shown)


def visible(text: str, most: int = TEXT_LENGTH) -> str:
    """The beginning of a text, without what HTML may not hold."""
    short = text if len(text) <= most else f"{text[:most]} ... ({len(text):,} characters)"
    return short.translate(VISIBLE)
