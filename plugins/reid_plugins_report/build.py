"""From a run to its page: the sections of all plugins, in chapters."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from reid_plugins_report.page import Html, Section, failed, joined, tag
from reid_plugins_report.page.document import Chapter, document
from reid_plugins_report.report import Report, ReportedTarget
from reid_plugins_report.sections.results import targets_table
from reidcore.errors import UserError, counted
from reidcore.plugins import Plugin, Plugins, current_plugins
from reidcore.utils import atomic_write

PLUGIN = "report"


def build_page(report: Report, plugins: Plugins | None = None) -> str:
    """Return the page of a run.

    Args:
        report: the run.
        plugins: whose sections are shown; the current ones if None.

    Raises:
        PluginError: this package's plugin is left out, which publishes the hook of the sections.
    """
    plugins = plugins or current_plugins()
    plugins.get(PLUGIN)
    chapters = [
        Chapter(target.name, _sections(plugins, report, target)) for target in report.targets
    ]
    chapters.append(Chapter("The run", _sections(plugins, report, None)))
    model = ((report.results.get("config") or {}).get("model") or {}).get("name")
    title = str(model or report.folder.resolve().name)
    tested = ", ".join(target.name for target in report.targets)
    subtitle = f"tested on {tested}" if tested else "not tested on any target"
    return document(title, subtitle, _head(report), chapters)


def write_page(page: str, path: Path) -> None:
    """Write a page, whole or not at all.

    Raises:
        UserError: if it cannot be written.
    """
    with atomic_write(path) as file:
        file.write(page.encode())


def _head(report: Report) -> Html:
    """Return what stands above the chapters: all targets, and what the page could not show."""
    notes = []
    bare = [target.name for target in report.targets if target.evidence is None]
    if bare:
        notes.append(
            f"No evidence was kept of {', '.join(bare)}: test again with the report plugin on "
            "to see curves, rankings and maps."
        )
    if report.pictures.missing:
        gone = counted(len(report.pictures.missing), "picture")
        notes.append(f"{gone} could not be read, and placeholders stand for them.")
    if report.pictures.left_out:
        notes.append(
            f"{counted(report.pictures.left_out, 'picture')} left out: the page is at its limit."
        )
    return joined(targets_table(report), [tag("p", note, class_="notice") for note in notes])


def _sections(plugins: Plugins, report: Report, target: ReportedTarget | None) -> list[Section]:
    found = [
        section
        for plugin, give in plugins.one_by_one("reid_report_sections")
        for section in _sections_of(plugin, give, report, target)
    ]
    return sorted(found, key=lambda section: section.place)


def _sections_of(
    plugin: Plugin, give: Callable[..., Any], report: Report, target: ReportedTarget | None
) -> list[Section]:
    """Return a plugin's sections; its failure costs the others', and those before it, nothing."""
    found: list[Section] = []
    try:
        for answer in give(report=report, target=target):
            for section in answer or ():
                if not isinstance(section, Section) or not isinstance(section.body, Html):
                    kind = type(section).__name__
                    raise TypeError(f"a {kind} is no Section with a body of Html")
                found.append(section)
    except UserError:
        raise
    except Exception as error:
        found.append(failed(f"the sections of plugin {plugin.origin}", error))
    return found
