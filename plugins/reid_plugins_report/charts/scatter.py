"""Scatter charts whose dots stand for images, coloured by one of several labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reid_plugins_report.charts.axis import Scale
from reid_plugins_report.charts.frame import Frame, Told
from reid_plugins_report.page import Html, tag

COLOURS = 8
_WIDE = (820.0, 560.0)
_EDGE = 0.04  # of the span, so that no dot is cut


@dataclass(frozen=True)
class Dot:
    """A dot.

    Attributes:
        x, y: where it is; no unit.
        groups: a number by each label, whose remainder is the colour.
        text: what is told of it.
        is_hollow: drawn as a ring.
    """

    x: float
    y: float
    groups: Sequence[int]
    text: str
    is_hollow: bool = False


def scatter_chart(
    dots: Sequence[Dot], labels: Sequence[str], summary: str, name: str, **data: str
) -> Html:
    """Return a chart of dots with a choice of what colours them.

    Args:
        dots: at least one.
        labels: what the groups of a dot are, such as ``identity``; the first colours them at first.
        summary: what it shows in a sentence.
        name: tells the choice from those of other charts.
        data: further attributes for the script.
    """
    across, upward = _span([dot.x for dot in dots]), _span([dot.y for dot in dots])
    width, height = _WIDE
    frame = Frame(across, upward, width, height, left=4, below=4, above=4, right=4)
    marks, points = [], []
    for dot in dots:
        x, y = frame.x(dot.x), frame.y(dot.y)
        groups: Mapping[str, int] = {
            f"data_g{place}": group for place, group in enumerate(dot.groups)
        }
        kind = f"p{dot.groups[0] % COLOURS}" + (" hollow" if dot.is_hollow else "")
        marks.append(tag("circle", cx=x, cy=y, r=4.2, class_=kind, **groups))
        points.append(Told(x, y, dot.text))
    drawn = frame.drawing([tag("g", marks, class_="dots")], summary, points, **data)
    return tag("div", _choice(labels, name), drawn, class_="map")


def _choice(labels: Sequence[str], name: str) -> Html:
    options = [
        tag(
            "label",
            tag("input", type="radio", name=name, value=str(place), checked=place == 0),
            tag("span", label),
        )
        for place, label in enumerate(labels)
    ]
    return tag("fieldset", tag("legend", "Colour by"), options, class_="choice")


def _span(values: Sequence[float]) -> Scale:
    low, high = min(values), max(values)
    room = _EDGE * (high - low) or 1.0
    return Scale("", low - room, high + room)
