"""The report of a run: one page that opens from disk, with figures, pictures and provenance.

The last test leaves its evidence in the run's folder; ``reidcore report`` draws the page from that,
without a model or a GPU. Other plugins add sections through a hook that this package publishes,
``reid_report_sections``; its own sections are one implementation of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from reidcore import hookimpl

if TYPE_CHECKING:
    from reid_plugins_report.page import Section
    from reid_plugins_report.report import Report, ReportedTarget
    from reidcore.engine import Engine, TargetTest
    from reidcore.plugins import HookPublisher
    from reidcore.registry import ConfigRegistrar


@hookimpl
def reid_add_hookspecs(plugins: HookPublisher) -> None:
    """Publish ``reid_report_sections``."""
    from reid_plugins_report import hookspecs

    plugins.add_hookspecs(hookspecs)


@hookimpl
def reid_register_configs(registry: ConfigRegistrar) -> None:
    """Have ``settings.report`` checked."""
    registry.settings("reid_plugins_report.settings:ReportSettings")


@hookimpl
def reid_run_files() -> list[str]:
    """Name the evidence of tests, and the page that is drawn from it."""
    return ["report_*.npz", "report.html"]


@hookimpl(trylast=True)
def reid_target_tested(engine: Engine, tested: TargetTest) -> None:
    """Keep the evidence of the last test, as ``settings.report`` says."""
    if not engine.is_final_test:
        return
    from reid_plugins_report.evidence.gather import keep_evidence

    keep_evidence(engine, tested)


@hookimpl
def reid_report_sections(report: Report, target: ReportedTarget | None) -> Iterator[Section]:
    """Give the sections of the bundled report."""
    from reid_plugins_report.sections import all_sections

    return all_sections(report, target)
