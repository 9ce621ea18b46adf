"""Line charts as pictures: panels side by side under a title, and one legend for all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from PIL import Image, ImageDraw, ImageFont

__all__ = ["Panel", "Series", "draw_panels"]

Colour = tuple[int, int, int]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
Point = tuple[float, float]

PAPER: Colour = (255, 255, 255)
INK: Colour = (33, 37, 41)
FAINT: Colour = (108, 114, 119)
GRID: Colour = (230, 232, 235)

# Told apart by people who see fewer colours, too (Okabe and Ito), and a few more.
COLOURS: tuple[Colour, ...] = (
    (0, 114, 178),
    (213, 94, 0),
    (0, 158, 115),
    (204, 121, 167),
    (230, 159, 0),
    (86, 180, 233),
    (126, 62, 152),
    (140, 86, 75),
    (90, 90, 90),
    (160, 170, 30),
)

# All measures are in pixels of the picture, which is drawn larger and made smaller at its end, so
# that slanting lines are smooth.
_FINER = 3
_PANEL = (440, 260)  # the frame of a panel, without its labels
_LEFT, _RIGHT, _ABOVE, _BELOW = 56, 24, 34, 42
_MARGIN = 16
_TEXT, _SMALL, _TITLE = 13, 12, 17
_LEGEND_LINE = 22
_MAX_TICKS = 6
_FEW = 12  # points of a line that are marked one by one


@dataclass(frozen=True)
class Series:
    """A line.

    Attributes:
        label: what the legend calls it; series of one label and colour stand there once.
        colour: its number; those beyond the last begin anew.
        points: from left to right, at least one.
    """

    label: str
    colour: int
    points: Sequence[Point]


@dataclass(frozen=True)
class Panel:
    """A chart.

    Attributes:
        title: what its height is.
        across: what its width is; all panels of a picture share one axis, whose ticks are whole
            numbers where all its values are.
        series: at least one.
    """

    title: str
    across: str
    series: Sequence[Series]


def draw_panels(panels: Sequence[Panel], title: str) -> Image.Image:
    """Draw panels, two beside each other, with a title above and a legend below.

    Args:
        panels: at least one.
        title: of the whole picture.
    """
    columns = min(2, len(panels))
    cell = (_LEFT + _PANEL[0] + _RIGHT, _ABOVE + _PANEL[1] + _BELOW)
    width = 2 * _MARGIN + columns * cell[0]
    legend = _legend_lines(panels, width - 2 * _MARGIN)
    top = _MARGIN + 2 * _TITLE
    rows = math.ceil(len(panels) / columns)
    height = top + rows * cell[1] + len(legend) * _LEGEND_LINE + _MARGIN
    sheet = Image.new("RGB", (_FINER * width, _FINER * height), PAPER)
    pen = _Pen(ImageDraw.Draw(sheet))
    shown = fitted(title, _TITLE, width - 2 * _MARGIN)
    pen.text((_MARGIN, _MARGIN + _TITLE // 2), shown, INK, _TITLE, "lm")
    all_x = [x for panel in panels for series in panel.series for x, _ in series.points]
    is_whole = all(float(x).is_integer() for x in all_x)
    for place, panel in enumerate(panels):
        row, column = divmod(place, columns)
        corner = (_MARGIN + column * cell[0] + _LEFT, top + row * cell[1] + _ABOVE)
        across = axis_of(all_x, corner[0], corner[0] + _PANEL[0], is_whole)
        _draw_panel(pen, panel, across, corner)
    _draw_legend(pen, legend, top + rows * cell[1])
    return sheet.resize((width, height), Image.Resampling.LANCZOS)


class _Pen:
    """Draws in the measures of the finished picture."""

    def __init__(self, draw: ImageDraw.ImageDraw) -> None:
        self._draw = draw

    def text(self, at: Point, text: str, colour: Colour, size: int, anchor: str) -> None:
        x, y = (_FINER * each for each in at)
        self._draw.text((x, y), text, colour, font_of(_FINER * size), anchor=anchor)

    def line(self, points: Sequence[Point], colour: Colour, width: float) -> None:
        finer = [(_FINER * x, _FINER * y) for x, y in points]
        self._draw.line(finer, colour, round(_FINER * width), joint="curve")

    def dot(self, at: Point, colour: Colour, radius: float) -> None:
        x, y = at
        ends = (x - radius, y - radius, x + radius, y + radius)
        self._draw.ellipse([_FINER * each for each in ends], colour)


@dataclass(frozen=True)
class _Axis:
    """Values from ``low`` to ``high``, with ticks among them, at pixels ``start`` to ``end``."""

    low: float
    high: float
    start: float
    end: float
    ticks: Sequence[float]

    def at(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def _draw_panel(pen: _Pen, panel: Panel, across: _Axis, corner: tuple[int, int]) -> None:
    left, top = corner
    right, bottom = left + _PANEL[0], top + _PANEL[1]
    upward = axis_of([y for series in panel.series for _, y in series.points], bottom, top)
    pen.text((left, top - 14), panel.title, INK, _TEXT, "lm")
    for tick, text in zip(upward.ticks, tick_texts(upward.ticks), strict=True):
        y = upward.at(tick)
        pen.line([(left, y), (right, y)], GRID, 1)
        pen.text((left - 8, y), text, FAINT, _SMALL, "rm")
    for tick, text in zip(across.ticks, tick_texts(across.ticks), strict=True):
        x = across.at(tick)
        pen.line([(x, bottom), (x, bottom + 4)], FAINT, 1)
        pen.text((x, bottom + 13), text, FAINT, _SMALL, "mm")
    pen.text(((left + right) / 2, bottom + 30), panel.across, FAINT, _SMALL, "mm")
    pen.line([(left, bottom), (right, bottom)], FAINT, 1)
    for series in panel.series:
        colour = COLOURS[series.colour % len(COLOURS)]
        drawn = [(across.at(x), upward.at(y)) for x, y in series.points]
        if len(drawn) > 1:
            pen.line(drawn, colour, 2)
        for point in drawn if len(drawn) <= _FEW else ():
            pen.dot(point, colour, 3)


def axis_of(values: Sequence[float], start: float, end: float, is_whole: bool = False) -> _Axis:
    """Return the axis of values, whose ends are ticks or, of whole numbers, the values' own ends.

    Args:
        values: at least one.
        start: the pixel of the lowest.
        end: the pixel of the highest.
        is_whole: the values are whole numbers, and so are the ticks.
    """
    low, high = min(values), max(values)
    if low == high:
        room = max(1.0, abs(low) / 10) if is_whole else abs(low) / 10 or 1.0
        low, high = low - room, high + room
    step = _step(high - low)
    if is_whole:
        step = max(1.0, math.ceil(step))
        first = math.ceil(low / step)
        return _Axis(low, high, start, end, _multiples(first, math.floor(high / step), step))
    first, last = math.floor(low / step), math.ceil(high / step)
    return _Axis(first * step, last * step, start, end, _multiples(first, last, step))


def _multiples(first: int, last: int, step: float) -> list[float]:
    return [number * step for number in range(first, last + 1)]


def _step(span: float) -> float:
    """Return the least of 1, 2 or 5 times a power of ten that parts a span in few enough ticks."""
    power = 10.0 ** math.floor(math.log10(span / _MAX_TICKS))
    return next(
        (factor * power for factor in (1, 2, 5) if factor * power * _MAX_TICKS >= span), 10 * power
    )


def tick_texts(ticks: Sequence[float]) -> list[str]:
    """Return the ticks with as many decimal places as their distance wants."""
    step = abs(ticks[1] - ticks[0]) if len(ticks) > 1 else 1.0
    places = max(0, -math.floor(math.log10(step) + 1e-9))
    return [f"{tick:.{places}f}" if abs(tick) < 1e6 else f"{tick:.3g}" for tick in ticks]


def _legend_lines(panels: Sequence[Panel], width: int) -> list[list[tuple[str, int, float]]]:
    """Return the entries of the legend, a list for each line: text, colour, where it begins."""
    entries = dict.fromkeys((each.label, each.colour) for panel in panels for each in panel.series)
    lines: list[list[tuple[str, int, float]]] = []
    x = float(width)
    for label, colour in entries:
        shown = fitted(label, _SMALL, width - 40)
        wanted = 30 + font_of(_SMALL).getlength(shown) + 24
        if x + wanted > width:
            lines.append([])
            x = 0.0
        lines[-1].append((shown, colour, x))
        x += wanted
    return lines


def _draw_legend(pen: _Pen, lines: Sequence[Sequence[tuple[str, int, float]]], top: int) -> None:
    for row, line in enumerate(lines):
        y = top + row * _LEGEND_LINE + _LEGEND_LINE // 2
        for label, colour, x in line:
            left = _MARGIN + x
            pen.line([(left, y), (left + 22, y)], COLOURS[colour % len(COLOURS)], 3)
            pen.text((left + 30, y), label, INK, _SMALL, "lm")


def fitted(text: str, size: int, width: float) -> str:
    """Return a text cut to a width in pixels, with an ellipsis in the place of its middle."""
    if font_of(size).getlength(text) <= width:
        return text
    kept = len(text)
    while kept > 2:
        kept -= 1
        shown = f"{text[: kept // 2]}\N{HORIZONTAL ELLIPSIS}{text[-((kept + 1) // 2) :]}"
        if font_of(size).getlength(shown) <= width:
            return shown
    return text[:1]


@cache
def font_of(size: int) -> Font:
    """Return the font of charts, in a size in pixels."""
    return ImageFont.load_default(size)
