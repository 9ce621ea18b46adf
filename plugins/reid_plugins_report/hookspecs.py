"""The hooks that this package publishes, for other plugins to implement."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from reidcore import hookspec

if TYPE_CHECKING:
    from reid_plugins_report.page import Section
    from reid_plugins_report.report import Report, ReportedTarget


@hookspec
def reid_report_sections(report: Report, target: ReportedTarget | None) -> Iterable[Section] | None:
    """Give sections of the page that ``reidcore report`` writes.

    When: once for each target of the run, then once for the run as a whole. Stop rule: none, every
    plugin is asked; one that fails is told of on the page, and the others' sections stay.
    Stability: provisional.

    Args:
        report: the run: ``results`` (what ``results.json`` holds), ``folder``, ``targets``, and
            ``pictures``, which makes thumbnails of image files.
        target: the target, with its ``figures`` and ``evidence``; None for the run as a whole.

    Returns:
        Sections ``Section(title, body, place)``, shown in the order of their places; the bundled
        ones have 10, 20, ... ``reid_plugins_report.page.tag`` makes a body, and escapes text.
    """
