"""Bars of a benchmark's table, drawn by Pillow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

Bar = tuple[str, str, float, str]
"""Group, row, value, and how it is shown."""

_COLOURS = ((120, 120, 120), (31, 119, 180), (44, 160, 44), (214, 139, 39))
_WIDTH, _LINE, _LABELS, _TEXT = 900, 22, 330, 220


def draw_bars(bars: Sequence[Bar], title: str, path: Path) -> None:
    """Draw horizontal bars, each group against its own first one.

    Args:
        bars: those of a group side by side.
        title: stands above them.
        path: of the PNG file.
    """
    groups = list(dict.fromkeys(group for group, *_ in bars))
    image = Image.new("RGB", (_WIDTH, _LINE * (len(bars) + len(groups) + 2)), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(14)
    draw.text((10, 5), title, "black", font)
    top = _LINE
    for group in groups:
        rows = [bar for bar in bars if bar[0] == group]
        longest = max(value for *_, value, _ in rows) or 1.0
        top += _LINE
        for number, (_, row, value, shown) in enumerate(rows):
            draw.text((10, top), f"{group}  {row}", "black", font)
            right = _LABELS + round((_WIDTH - _LABELS - _TEXT) * value / longest)
            colour = _COLOURS[number % len(_COLOURS)]
            draw.rectangle((_LABELS, top + 3, right, top + _LINE - 4), colour)
            draw.text((right + 8, top), shown, "black", font)
            top += _LINE
    image.save(path)
