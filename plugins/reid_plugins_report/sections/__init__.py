"""The bundled sections, a file each: what a part of the evidence says, drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from reid_plugins_report.page import failed
from reid_plugins_report.sections.attention import attention_section
from reid_plugins_report.sections.cameras import cameras_section
from reid_plugins_report.sections.curves import curves_section
from reid_plugins_report.sections.distances import distances_section
from reid_plugins_report.sections.embedding_map import map_section
from reid_plugins_report.sections.look_alikes import look_alikes_section
from reid_plugins_report.sections.provenance import provenance_section
from reid_plugins_report.sections.rankings import rankings_section
from reid_plugins_report.sections.results import results_section
from reid_plugins_report.sections.slices import slices_section
from reid_plugins_report.sections.training import training_section
from reidcore.errors import UserError

if TYPE_CHECKING:
    from reid_plugins_report.page import Section
    from reid_plugins_report.report import Report, ReportedTarget

__all__ = ["all_sections"]

_OF_A_TARGET: tuple[Callable[[Report, ReportedTarget], Section | None], ...] = (
    results_section,
    curves_section,
    distances_section,
    slices_section,
    cameras_section,
    rankings_section,
    look_alikes_section,
    attention_section,
    map_section,
)
_OF_THE_RUN: tuple[Callable[[Report], Section | None], ...] = (training_section, provenance_section)


def all_sections(report: Report, target: ReportedTarget | None) -> Iterator[Section]:
    """Yield the sections of a target, or of the run as a whole, that have something to show.

    What fails, such as by evidence of a form that this version does not know, is told of, and the
    others stay.
    """
    makers: dict[str, Callable[[], Section | None]] = (
        {make.__name__: partial(make, report) for make in _OF_THE_RUN}
        if target is None
        else {make.__name__: partial(make, report, target) for make in _OF_A_TARGET}
    )
    for name, make in makers.items():
        try:
            section = make()
        except UserError:
            raise
        except Exception as error:
            section = failed(f"the {name.replace('_', ' ')}", error)
        if section is not None:
            yield section
