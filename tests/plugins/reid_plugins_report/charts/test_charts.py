"""Charts, read back as the XML that they are."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import numpy as np
from reid_plugins_report.charts import (
    Bar,
    Dot,
    Line,
    Rule,
    Scale,
    heat_table,
    interval_chart,
    line_chart,
    scatter_chart,
)

HOSTILE = "</text><script>x</script>\"'&"


def parsed(html: str) -> ElementTree.Element:
    # What XML knows not: an attribute without a value, an element without an end.
    whole = re.sub(r"(<input[^>]*?)( checked)?>", r'\1 data-checked="\2"></input>', html)
    return ElementTree.fromstring(f"<div>{whole}</div>")


def told(root: ElementTree.Element) -> list[list[object]]:
    (svg,) = root.iter("svg")
    return json.loads(svg.get("data-points"))


def test_a_line_goes_through_its_points() -> None:
    across, upward = Scale("epoch", 0, 10), Scale("loss", 0, 4)
    lines = [Line("a", [(0, 0), (5, 2), (10, 4)]), Line(HOSTILE, [(0, 4), (10, 0)], 1, True)]
    root = parsed(line_chart(lines, across, upward, "falls", [Rule(5, "half")]))
    first, second = (
        [tuple(map(float, pair.split(","))) for pair in each.get("points").split()]
        for each in root.iter("polyline")
    )
    assert first[1] == tuple((a + b) / 2 for a, b in zip(first[0], first[2], strict=True))
    assert second == [(first[0][0], first[2][1]), (first[2][0], first[0][1])]
    (x0, low), _, (x1, high) = first
    assert x0 < x1
    assert high < low  # pixels count downwards
    (rule,) = [each for each in root.iter("line") if each.get("class") == "rule"]
    assert float(rule.get("x1")) == first[1][0]
    points = told(root)
    assert points[1] == [*first[1], "a\nepoch: 5\nloss: 2"]
    assert points[-1][2] == f"{HOSTILE}\nepoch: 10\nloss: 0"
    assert [each.text for each in root.iter("script")] == []


def test_an_interval_is_a_line_around_its_dot() -> None:
    bars = [Bar("all", 0.5, 0.4, 0.7, "9 queries"), Bar("one", 0.25, 0.25, 0.25)]
    root = parsed(interval_chart(bars, Scale("mAP", 0, 1), "s"))
    (first, second) = [each for each in root.iter("line") if "whisker" in each.get("class")]
    dots = [each for each in root.iter("circle") if "dot" in each.get("class")]
    low, at, high = (float(each) for each in (first.get("x1"), dots[0].get("cx"), first.get("x2")))
    assert low < at < high
    assert abs((at - low) / (high - low) - 1 / 3) < 0.01
    assert second.get("x1") == second.get("x2") == dots[1].get("cx")
    assert [each[2] for each in told(root)] == [
        "all\nmAP: 0.5 [0.4, 0.7]\n9 queries",
        "one\nmAP: 0.25",
    ]


def test_cells_are_darker_where_values_are_greater() -> None:
    values = np.array([[np.nan, 0.1], [0.5, 0.9]])
    root = parsed(heat_table(["a", HOSTILE], ["c", "d"], values, "l", "x", [["", "n"], ["", ""]]))
    cells = [each for each in root.iter("td") if each.get("class") != "corner"]
    assert [(each.text, each.get("class")) for each in cells[1:]] == [
        ("10.0", "h0"),
        ("50.0", "h4"),
        ("90.0", "h7"),
    ]
    assert cells[0].get("class") == "none"
    assert cells[1].get("title") == "n"
    assert [each.text for each in root.iter("th")] == ["c", "d", "a", HOSTILE]


def test_dots_know_their_groups_and_tell_their_text() -> None:
    dots = [Dot(0, 0, (11, 2), HOSTILE), Dot(3, 1, (4, 5), "b", is_hollow=True)]
    root = parsed(scatter_chart(dots, ["identity", "camera"], "s", HOSTILE, data_sheet="1 2 3"))
    circles = [each for each in root.iter("circle") if each.get("data-g0")]
    assert [each.get("class") for each in circles] == ["p3", "p4 hollow"]
    assert [each.get("data-g1") for each in circles] == ["2", "5"]
    assert told(root)[0][2] == HOSTILE
    assert [each.get("data-checked") for each in root.iter("input")] == [" checked", ""]
