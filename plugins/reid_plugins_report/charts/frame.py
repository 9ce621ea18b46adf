"""The frame of a chart: its axes, its grid, and what its script needs to tell its values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from reid_plugins_report.charts.axis import Scale
from reid_plugins_report.page import Html, tag


class Told(NamedTuple):
    """A point that the script tells: its place on the chart, and what it says."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Frame:
    """A drawing area with a scale along each side, in units that are pixels at a usual width.

    Attributes:
        across: from left to right.
        upward: from bottom to top; None where rows have names instead.
        width, height: of the whole.
        left: room for what stands on the left.
        below: room for what stands below.
    """

    across: Scale
    upward: Scale | None
    width: float = 400
    height: float = 270
    left: float = 46
    below: float = 40
    above: float = 12
    right: float = 14

    @property
    def bottom(self) -> float:
        """The lower edge of the drawing area."""
        return self.height - self.below

    @property
    def end(self) -> float:
        """Its right edge."""
        return self.width - self.right

    def x(self, value: float) -> float:
        """Return how far to the right a value lies."""
        return round(self.left + self.across.share(value) * (self.end - self.left), 1)

    def y(self, value: float) -> float:
        """Return how far down a value lies."""
        assert self.upward is not None
        return round(self.bottom - self.upward.share(value) * (self.bottom - self.above), 1)

    def axes(self) -> Html:
        """Return grid, ticks and labels."""
        drawn: list[Html] = []
        for tick in self.across.ticks():
            x = self.x(tick)
            drawn.append(_line(x, self.above, x, self.bottom, "grid"))
            drawn.append(_text(x, self.bottom + 16, self.across.form(tick), "middle"))
        if self.upward is not None:
            for tick in self.upward.ticks():
                y = self.y(tick)
                drawn.append(_line(self.left, y, self.end, y, "grid"))
                drawn.append(_text(self.left - 7, y + 4, self.upward.form(tick), "end"))
            middle = (self.above + self.bottom) / 2
            turned = f"rotate(-90 12 {middle:g})"
            drawn.append(
                tag(
                    "text",
                    self.upward.label,
                    x=12,
                    y=middle,
                    text_anchor="middle",
                    transform=turned,
                )
            )
        drawn.append(_line(self.left, self.bottom, self.end, self.bottom, "axis"))
        centre = (self.left + self.end) / 2
        drawn.append(_text(centre, self.height - 6, self.across.label, "middle"))
        return tag("g", drawn, class_="axes", aria_hidden="true")

    def drawing(
        self, marks: Iterable[Html], summary: str, points: Sequence[Told], **data: str
    ) -> Html:
        """Return the chart.

        Args:
            marks: what is drawn, the axes first.
            summary: what it shows in a sentence, for those who do not see it.
            points: what its script tells, in the order in which the arrow keys walk them.
            data: further attributes.
        """
        told = json.dumps([[p.x, p.y, p.text] for p in points], ensure_ascii=False)
        cursor = tag("circle", class_="cursor", r=5, cx=0, cy=0, visibility="hidden")
        return tag(
            "svg",
            list(marks),
            cursor,
            viewBox=f"0 0 {self.width:g} {self.height:g}",
            role="img",
            aria_label=summary,
            tabindex="0",
            class_="chart",
            data_points=told,
            **data,
        )


def legend(entries: Sequence[tuple[str, str]]) -> Html | None:
    """Return what colours mean, pairs of a class and a label; None for a single one."""
    if len(entries) < 2:
        return None
    items = [
        tag("li", tag("span", class_=f"swatch {kind}", aria_hidden="true"), label)
        for kind, label in entries
    ]
    return tag("ul", items, class_="legend")


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Html:
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=kind)


def _text(x: float, y: float, text: str, anchor: str) -> Html:
    return tag("text", text, x=x, y=y, text_anchor=anchor)
