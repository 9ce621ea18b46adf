"""Figures of several groups below one another, each with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reid_plugins_report.charts.axis import Scale
from reid_plugins_report.charts.frame import Frame, Told
from reid_plugins_report.page import Html, tag

_ROW = 30


@dataclass(frozen=True)
class Bar:
    """The figure of a group.

    Attributes:
        label: the group.
        value: the figure.
        low, high: its interval; equal to the value where there is none.
        note: such as how many it is of.
        colour: its number, 0 to 7.
    """

    label: str
    value: float
    low: float
    high: float
    note: str = ""
    colour: int = 0


def interval_chart(bars: Sequence[Bar], across: Scale, summary: str) -> Html:
    """Return a chart with a row for each group: a dot for the figure, a line for the interval.

    Args:
        bars: at least one.
        across: the scale.
        summary: what it shows in a sentence.
    """
    left = 14 + 6.6 * max(len(bar.label) for bar in bars)
    height = 52 + _ROW * len(bars)
    frame = Frame(across, None, height=height, left=min(left, 170), above=6)
    marks: list[Html] = []
    points = []
    for place, bar in enumerate(bars):
        y = 6 + _ROW * (place + 0.5)
        x, kind = frame.x(bar.value), f"c{bar.colour}"
        ends = {"x1": frame.x(bar.low), "x2": frame.x(bar.high), "y1": y, "y2": y}
        name = tag("text", bar.label, x=frame.left - 10, y=y + 4, text_anchor="end", class_="named")
        marks += [
            name,
            tag("line", **ends, class_=f"whisker {kind}"),
            tag("circle", cx=x, cy=y, r=5, class_=f"dot {kind}"),
        ]
        interval = (
            f" [{across.form(bar.low)}, {across.form(bar.high)}]" if bar.low < bar.high else ""
        )
        text = f"{bar.label}\n{across.label}: {across.form(bar.value)}{interval}\n{bar.note}"
        points.append(Told(x, y, text.strip()))
    return frame.drawing([frame.axes(), *marks], summary, points)
