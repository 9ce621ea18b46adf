"""The hardest queries, each with the gallery items that are nearest to it."""

from __future__ import annotations

from reid_plugins_report.evidence import Rankings
from reid_plugins_report.page import Html, Section, tag
from reid_plugins_report.report import Report, ReportedTarget
from reid_plugins_report.sections.picture_strip import ASKED, RIGHT, WRONG, entry, strip


def rankings_section(report: Report, target: ReportedTarget) -> Section | None:
    """Return the section of a target's hardest queries."""
    rankings = target.evidence.part(Rankings) if target.evidence else None
    if rankings is None or not len(rankings.ap):
        return None
    shown = [_ranking(report, rankings, place) for place in range(len(rankings.ap))]
    lead = (
        "The queries of the least average precision, one of each identity, with the gallery items "
        "nearest to them and, where it is not among those, the first match."
    )
    return Section("Hardest queries", tag("div", shown, class_="rankings"), 60, lead)


def _ranking(report: Report, rankings: Rankings, place: int) -> Html:
    pid, camid = rankings.pid[place], rankings.camid[place]
    first, total = int(rankings.first_rank[place]), int(rankings.num_matches[place])
    picture = report.pictures.thumbnail(str(rankings.path[place]), f"query, identity {pid}")
    entries = [entry(picture, ASKED, "Query", [f"id {pid}", f"camera {camid}"])]
    for column, path in enumerate(rankings.item_path[place].tolist()):
        if not path:
            continue
        who = rankings.item_pid[place, column]
        kind = RIGHT if rankings.matched[place, column] else WRONG
        where = f"camera {rankings.item_camid[place, column]}"
        lines = [f"id {who}", where, f"{rankings.distance[place, column]:.3g}"]
        picture = report.pictures.thumbnail(path, f"rank {column + 1}, identity {who}")
        entries.append(entry(picture, kind, str(column + 1), lines))
    if not rankings.matched[place].any() and (path := str(rankings.match_path[place])):
        picture = report.pictures.thumbnail(path, f"first match, identity {pid}")
        entries.append(entry(picture, RIGHT, f"{first:,}", [f"id {pid}", "first match"]))
    told = "no match in the gallery"
    if total:
        precision = 100 * rankings.ap[place]
        told = f"AP {precision:.1f} %, first match at rank {first:,}, {total:,} in all"
    heading = tag("h4", f"Identity {pid}", tag("span", told))
    return tag("article", heading, strip(entries, f"ranking for identity {pid}"))
