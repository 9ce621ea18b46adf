"""Different identities that the model takes for one another."""

from __future__ import annotations

from reid_plugins_report.evidence import LookAlikes
from reid_plugins_report.page import Html, Section, tag
from reid_plugins_report.report import Report, ReportedTarget
from reid_plugins_report.sections.picture_strip import ASKED, WRONG, entry


def look_alikes_section(report: Report, target: ReportedTarget) -> Section | None:
    """Return the section of a target's look-alikes."""
    pairs = target.evidence.part(LookAlikes) if target.evidence else None
    if pairs is None or not len(pairs.distance):
        return None
    shown = [_pair(report, pairs, place) for place in range(len(pairs.distance))]
    lead = (
        "Queries with their nearest image of another identity: the nearest of these pairs, one of "
        "each two identities. Where both pictures show the same one, a label is wrong."
    )
    return Section("Look-alikes", tag("ul", shown, class_="pairs"), 70, lead)


def _pair(report: Report, pairs: LookAlikes, place: int) -> Html:
    pid, other = pairs.pid[place], pairs.item_pid[place]
    asked = report.pictures.thumbnail(str(pairs.path[place]), f"query, identity {pid}")
    found = report.pictures.thumbnail(str(pairs.item_path[place]), f"gallery, identity {other}")
    both = tag(
        "ol",
        entry(asked, ASKED, "Query", [f"id {pid}", f"camera {pairs.camid[place]}"]),
        entry(found, WRONG, "Gallery", [f"id {other}", f"camera {pairs.item_camid[place]}"]),
        class_="strip",
    )
    return tag("li", both, tag("p", f"distance {pairs.distance[place]:.3g}", class_="note"))
