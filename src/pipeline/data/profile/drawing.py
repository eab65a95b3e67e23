"""Bars and pictures as pieces of HTML. What is put into them is escaped by whoever calls (markupsafe)."""

import base64
import io
from collections.abc import Callable, Sequence

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

from pipeline.data.profile.measured import Numbers

WIDTH, HEIGHT = 260, 60
BINS = 24
THUMBNAIL = 96  # pixels of the longer side


def shown_number(value: float) -> str:
    value = value + 0.0  # of the two zeros, which are equal, the one without a sign
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) < 1e15 else f"{value:.4g}"


def histogram(train: Numbers, test: Numbers, show: Callable[[float], str] = shown_number) -> Markup:
    """Bars of the shares of the training values (N,) and test values (M,) in equal intervals. The ends are the
    quantiles 0.005 and 0.995 of the training values, and what lies beyond them is in the first and the last bar."""
    if not len(train):
        return Markup("")
    low, high = np.quantile(train, [0.005, 0.995], method="nearest")
    if low == high:
        low, high = train.min(), train.max()
    half = high / 2 - low / 2 or 0.5  # halves, as the difference of two numbers may be none
    bars = []
    for name, values in (("train", train), ("test", test)):
        if len(values):
            with np.errstate(over="ignore"):  # what is infinite is in the first or the last bar
                places = np.clip((values / 2 - low / 2) / half * BINS, 0, BINS - 1).astype(int)
            bars.append((name, np.bincount(places, minlength=BINS) / len(values)))
    most = max(shares.max() for _, shares in bars)
    step, svg = WIDTH / BINS, []
    for i, (name, shares) in enumerate(bars):
        for k, share in enumerate(shares):
            if share:
                height = max(1.0, HEIGHT * share / most)
                x, y, width = k * step + i * step * 0.45, HEIGHT - height, step * 0.42
                svg.append(f'<rect class="{name}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>')
    shape = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    ends = f'<div class="ends"><span>{escape(show(low))}</span><span>{escape(show(high))}</span></div>'
    return Markup(f"<div><svg {shape}>{''.join(svg)}</svg>{ends}</div>")


def bars(names: Sequence[str], train: Sequence[float], test: Sequence[float]) -> Markup:
    """A row for each name with its share of the training values and of the test values as bars."""
    most = max([*train, *test, 1e-9])
    rows = []
    for name, *shares in zip(names, train, test, strict=True):
        drawn = "".join(
            f'<div class="bar {kind}" style="width:{100 * share / most:.1f}%"></div>'
            for kind, share in zip(("train", "test"), shares, strict=True)
        )
        told = " / ".join(f"{100 * share:.1f} %" for share in shares)
        rows.append(f'<tr><td>{escape(name)}</td><td class="wide">{drawn}</td><td class="number">{told}</td></tr>')
    return Markup(f'<table class="bars">{"".join(rows)}</table>')


def shares(counts: Sequence[int]) -> list[float]:
    """Each count's share of their sum; all 0 where nothing was counted."""
    return [count / max(1, sum(counts)) for count in counts]


def picture(pixels: NDArray[np.uint8], title: str, colours: NDArray[np.uint8] | None = None) -> Markup:
    """An image (H, W) or (H, W, 3) as a PNG inside the page, at most THUMBNAIL pixels high and wide. With `colours`
    (K, 3), its pixels (H, W) are numbers of these."""
    from PIL import Image

    image = Image.fromarray(pixels)
    if colours is not None:
        image.putpalette(colours.tobytes())
    if max(image.size) > THUMBNAIL:
        image.thumbnail((THUMBNAIL, THUMBNAIL))
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    content = base64.b64encode(stream.getvalue()).decode()
    return Markup(f'<img alt="" title="{escape(title)}" src="data:image/png;base64,{content}">')
