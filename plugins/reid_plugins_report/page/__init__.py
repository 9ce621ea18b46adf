"""The page: HTML that escapes what it is given, sections, thumbnails, and the file they make."""

from __future__ import annotations

from reid_plugins_report.page.html import Child, Html, joined, tag
from reid_plugins_report.page.section import Section, failed, figure, figures, table
from reid_plugins_report.page.thumbnails import Pictures

__all__ = [
    "Child",
    "Html",
    "Pictures",
    "Section",
    "failed",
    "figure",
    "figures",
    "joined",
    "table",
    "tag",
]
