"""Charts in plain SVG, which read well without a script and tell their values with one.

A chart can be focused; its script walks its points with the arrow keys and tells the one under the
pointer. Colours are classes ``c0`` to ``c7`` of the page's style, for light and dark.
"""

from __future__ import annotations

from reid_plugins_report.charts.axis import Scale, percent, plain
from reid_plugins_report.charts.heat import heat_table
from reid_plugins_report.charts.intervals import Bar, interval_chart
from reid_plugins_report.charts.lines import Line, Rule, line_chart
from reid_plugins_report.charts.scatter import Dot, scatter_chart

__all__ = [
    "Bar",
    "Dot",
    "Line",
    "Rule",
    "Scale",
    "heat_table",
    "interval_chart",
    "line_chart",
    "percent",
    "plain",
    "scatter_chart",
]
