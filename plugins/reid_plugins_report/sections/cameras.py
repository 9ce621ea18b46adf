"""Figures by the cameras of query and gallery."""

from __future__ import annotations

from reid_plugins_report.charts import heat_table
from reid_plugins_report.evidence import Cameras
from reid_plugins_report.evidence.parts import Floats
from reid_plugins_report.page import Html, Section, figure, figures
from reid_plugins_report.report import Report, ReportedTarget


def cameras_section(report: Report, target: ReportedTarget) -> Section | None:
    """Return the section of a target's cameras."""
    cameras = target.evidence.part(Cameras) if target.evidence else None
    if cameras is None or cameras.count.size < 2:
        return None
    shown = figures(
        _matrix("mAP", cameras.mAP, cameras),
        _matrix("Rank-1", cameras.rank1, cameras),
    )
    lead = (
        "Queries of one camera against the gallery of another. A gallery of one camera is smaller "
        "than the whole, so that its figures are higher than those above."
    )
    return Section("Camera by camera", shown, 50, lead)


def _matrix(name: str, values: Floats, cameras: Cameras) -> Html:
    notes = [[f"{count:,} queries" for count in row] for row in cameras.count.tolist()]
    table = heat_table(
        cameras.query.tolist(),
        cameras.gallery.tolist(),
        values,
        f"{name} by cameras",
        "query ↓ gallery →",
        notes,
    )
    return figure(f"{name} by cameras (%)", table, "Rows: the query's camera.")
