"""Histograms as SVG, drawn at the size at which they are shown, so that their text is as large as it says."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape

BARS = 24
WIDTH, HEIGHT = 312, 150  # in pixels
LEFT, TOP, BOTTOM = 44, 10, 20  # room for the axes' texts


def histogram(title: str, values: Sequence[float], text: Callable[[float], str], *, logarithmic: bool = False) -> str:
    """Draw bars of equal width, of the values' logarithms where they spread over orders of magnitude. Returns ""
    where there is no value to show."""
    values = [value for value in values if math.isfinite(value) and (value > 0 or not logarithmic)]
    if not values:
        return ""
    counts = _counts([math.log10(value) for value in values] if logarithmic else values)
    first, last = text(min(values)), text(max(values))
    middle = f"median {text(sorted(values)[len(values) // 2])}"
    return (
        f"<figure><figcaption>{escape(title)}</figcaption>"
        f'<svg width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(title)}: {first} to {last}, {middle}">'
        f"{_axes(max(counts), first, middle, last)}{_bars(counts)}</svg></figure>"
    )


def _counts(values: Sequence[float]) -> list[int]:
    low, high = min(values), max(values)
    step = (high - low) / BARS or 1.0
    counts = [0] * BARS
    for value in values:
        counts[min(BARS - 1, int((value - low) / step))] += 1
    return counts


def _axes(most: int, first: str, middle: str, last: str) -> str:
    ground = HEIGHT - BOTTOM
    marks = (
        *(
            (LEFT, HEIGHT - 5, "start", first),
            ((LEFT + WIDTH) / 2, HEIGHT - 5, "middle", middle),
            (WIDTH, HEIGHT - 5, "end", last),
        ),
        *((LEFT - 6, TOP + 4, "end", f"{most:,}"), (LEFT - 6, ground + 4, "end", "0")),
    )
    lines = "".join(f'<line x1="{LEFT}" y1="{y}" x2="{WIDTH}" y2="{y}"/>' for y in (TOP, ground))
    return lines + "".join(
        f'<text x="{x:g}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>' for x, y, anchor, text in marks
    )


def _bars(counts: Sequence[int]) -> str:
    wide, scale = (WIDTH - LEFT) / BARS, (HEIGHT - TOP - BOTTOM) / max(counts)
    return "".join(
        _bar(LEFT + place * wide + 1, wide - 2, count * scale, count) for place, count in enumerate(counts) if count
    )


def _bar(x: float, width: float, height: float, count: int) -> str:
    return (
        f'<rect x="{x:.1f}" y="{HEIGHT - BOTTOM - height:.1f}" width="{width:.1f}" height="{height:.1f}">'
        f"<title>{count:,}</title></rect>"
    )
