"""Where the network looks in the pictures of the hardest queries."""

from __future__ import annotations

from reid_plugins_report.evidence import Attention
from reid_plugins_report.page import Html, Section, tag
from reid_plugins_report.report import Report, ReportedTarget


def attention_section(report: Report, target: ReportedTarget) -> Section | None:
    """Return the section of a target's activation maps."""
    attention = target.evidence.part(Attention) if target.evidence else None
    if attention is None or not len(attention.path):
        return None
    shown = [_pair(report, attention, place) for place in range(len(attention.path))]
    lead = (
        "Activation maps of the hardest queries: the sum of the squared channels of the last maps, "
        "from dark (none) to yellow (most). Feet, bags and backgrounds that glow are worth a look."
    )
    return Section("Where the network looks", tag("ul", shown, class_="attention"), 80, lead)


def _pair(report: Report, attention: Attention, place: int) -> Html:
    path = str(attention.path[place])
    return tag(
        "li",
        report.pictures.thumbnail(path, f"query {place + 1}"),
        report.pictures.overlay(
            path, attention.heat[place], f"activation map of query {place + 1}"
        ),
    )
