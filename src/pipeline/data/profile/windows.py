"""Windows of series: how each channel is distributed, and the first windows of each class as lines."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from markupsafe import Markup, escape
from numpy.typing import NDArray

from pipeline.data.profile.drawing import histogram, shown_number
from pipeline.data.profile.view import View
from pipeline.data.types.series import SeriesColumn
from pipeline.data.types.series import windows as stored_windows

WINDOWS_OF_CLASS, MOST_CHANNELS = 4, 8
WIDTH, HEIGHT, PIECES = 200, 70, 80
QUANTILES = {"least": 0.0, "5 %": 0.05, "median": 0.5, "95 %": 0.95, "greatest": 1.0}
COLOURS = ("#3b6ea5", "#e08a2c", "#3f8f4f", "#b5413c", "#7b5ea7", "#8a6a4f", "#c469a2", "#6b6b6b")

Windows = NDArray[np.float64]


def series(view: View) -> Markup:
    config = view.column.config
    assert isinstance(config, SeriesColumn)
    train, test = (windows_of(values, config) for values in view.both())
    if not len(train):
        return Markup("")
    names = config.channels[:MOST_CHANNELS]
    shown = [channels_table(names, train, test)]
    if rest := len(config.channels) - len(names):
        shown.append(Markup("<p>and {} more of the channels</p>").format(rest))
    low, high = (np.quantile(train, share, axis=(0, 1), method="nearest") for share in (0.005, 0.995))
    for name, values in view.by_class(WINDOWS_OF_CLASS):
        heights = (windows_of(values, config) - low) / np.where(high > low, high - low, 1)
        drawn = Markup("").join(lines(window[:, : len(names)], name) for window in heights)
        shown.append(Markup("<p>{}</p><div>{}</div>").format(name, drawn))
    return Markup("").join(shown)


def windows_of(values: pa.ChunkedArray, config: SeriesColumn) -> Windows:
    """Stored windows as (N, W, C)."""
    return stored_windows(values.combine_chunks(), config.shape)


def channels_table(names: Sequence[str], train: Windows, test: Windows) -> Markup:
    """A row for each channel: its colour in the lines, quantiles of the training values, and histograms."""
    head = Markup("").join(Markup('<th class="number">{}</th>').format(name) for name in QUANTILES)
    rows = [Markup("<tr><th>channel</th>{}<th></th></tr>").format(head)]
    for place, name in enumerate(names):
        trained, tested = train[:, :, place].reshape(-1), test[:, :, place].reshape(-1)
        told = (shown_number(value) for value in np.quantile(trained, list(QUANTILES.values()), method="nearest"))
        cells = Markup("").join(Markup('<td class="number">{}</td>').format(value) for value in told)
        key = Markup('<span class="key" style="background: {}"></span> <bdi>{}</bdi>').format(COLOURS[place], name)
        drawn = histogram(trained, tested)
        rows.append(Markup("<tr><td>{}</td>{}<td>{}</td></tr>").format(key, cells, drawn))
    return Markup("<table>{}</table>").format(Markup("").join(rows))


def lines(heights_WC: Windows, title: str) -> Markup:
    """A window (W, C) as a line for each channel. Heights from 0 to 1 fill the picture."""
    drawn = []
    for colour, heights in zip(COLOURS, heights_WC.T, strict=False):
        y = HEIGHT * (1 - shortened(heights).clip(0, 1))
        x = np.linspace(0, WIDTH, len(y))
        points = " ".join(f"{a:.0f},{b:.1f}" for a, b in zip(x, y, strict=True))
        drawn.append(f'<polyline points="{points}" fill="none" stroke="{colour}"/>')
    shape = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    return Markup(f"<svg {shape}><title>{escape(title)}</title>{''.join(drawn)}</svg> ")


def shortened(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The values (W,), or the least and the greatest of each of PIECES pieces where there are more."""
    if len(values) <= 2 * PIECES:
        return values
    starts = np.arange(PIECES) * len(values) // PIECES
    return np.stack([np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)], axis=1).reshape(-1)
