"""Line charts, with areas below lines and upright rules at values that matter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reid_plugins_report.charts.axis import Scale
from reid_plugins_report.charts.frame import Frame, Told, legend
from reid_plugins_report.page import Html, joined, tag

Point = tuple[float, float]

_MOST_TOLD = 160  # points of a line that the script tells
_DIGIT = 7  # units that a digit is wide
_FEW = 14  # points of a line that are marked one by one


@dataclass(frozen=True)
class Line:
    """A line.

    Attributes:
        label: what the legend calls it.
        points: from left to right.
        colour: its number, 0 to 7.
        is_area: fill what is below it.
    """

    label: str
    points: Sequence[Point]
    colour: int = 0
    is_area: bool = False


@dataclass(frozen=True)
class Rule:
    """An upright line at a value that matters.

    Attributes:
        at: the value.
        label: what stands beside it.
    """

    at: float
    label: str


def line_chart(
    lines: Sequence[Line],
    across: Scale,
    upward: Scale,
    summary: str,
    rules: Sequence[Rule] = (),
) -> Html:
    """Return a chart of lines.

    Args:
        lines: at least one, none of them empty.
        across: the scale from left to right.
        upward: the scale from bottom to top.
        summary: what it shows in a sentence.
        rules: values to mark.
    """
    longest = max(len(upward.form(tick)) for tick in upward.ticks())
    frame = Frame(across, upward, left=max(46, 26 + _DIGIT * longest))
    marks = [mark for line in lines for mark in _marks(frame, line)]
    marks += [mark for place, rule in enumerate(rules) for mark in _rule(frame, rule, place)]
    points = [told for line in lines for told in _told(frame, line, named=len(lines) > 1)]
    entries = [(f"c{line.colour}", line.label) for line in lines]
    return joined(frame.drawing([frame.axes(), *marks], summary, points), legend(entries))


def _marks(frame: Frame, line: Line) -> list[Html]:
    places = [(frame.x(x), frame.y(y)) for x, y in line.points]
    path = " ".join(f"{x:g},{y:g}" for x, y in places)
    kind = f"c{line.colour}"
    marks = []
    if line.is_area:
        ends = f"{places[0][0]:g},{frame.bottom:g} {path} {places[-1][0]:g},{frame.bottom:g}"
        marks.append(tag("polygon", points=ends, class_=f"area {kind}"))
    marks.append(tag("polyline", points=path, class_=f"line {kind}"))
    if len(places) <= _FEW:
        marks += [tag("circle", cx=x, cy=y, r=2.6, class_=f"dot {kind}") for x, y in places]
    return marks


def _rule(frame: Frame, rule: Rule, place: int) -> list[Html]:
    x, y = frame.x(rule.at), frame.above + 10 + 15 * place
    is_left = x > (frame.left + frame.end) / 2
    return [
        tag("line", x1=x, y1=frame.above, x2=x, y2=frame.bottom, class_="rule"),
        tag(
            "text",
            rule.label,
            x=x - 5 if is_left else x + 5,
            y=y,
            text_anchor="end" if is_left else "start",
            class_="ruled",
        ),
    ]


def _told(frame: Frame, line: Line, named: bool) -> list[Told]:
    step = -(-len(line.points) // _MOST_TOLD)
    chosen = [*line.points[::step]]
    across, upward = frame.across, frame.upward
    assert upward is not None
    head = f"{line.label}\n" if named else ""
    return [
        Told(
            frame.x(x),
            frame.y(y),
            f"{head}{across.label}: {across.form(x)}\n{upward.label}: {upward.form(y)}",
        )
        for x, y in chosen
    ]
