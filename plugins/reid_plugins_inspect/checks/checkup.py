"""All checks of a dataset, this package's and other plugins'."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from reid_plugins_inspect.checks.finding import SEVERITIES, Finding
from reid_plugins_inspect.checks.identities import histogram
from reid_plugins_inspect.checks.image_stats import ImageStats
from reid_plugins_inspect.checks.inputs import CheckedDataset
from reid_plugins_inspect.checks.scan import Advance, scan_files
from reid_plugins_inspect.checks.sizes import sizes
from reidcore.errors import UserError
from reidcore.plugins import Plugin, Plugins, current_plugins, describe

PLUGIN = "inspect"


@dataclass(frozen=True)
class Report:
    """What was found.

    Attributes:
        name: of the dataset.
        unit: ``images`` or ``tracklets``.
        files: number of image files, each counted once.
        splits: split -> ``ids``, ``images`` and ``cameras``; None for what is not known.
        findings: the worst first.
        histograms: split -> images of its identities, see `histogram`.
        sizes: of the pictures, see `sizes`.
    """

    name: str
    unit: str
    files: int
    splits: Mapping[str, Mapping[str, int | None]]
    findings: tuple[Finding, ...]
    histograms: Mapping[str, Mapping[str, Any]]
    sizes: Mapping[str, Any]

    def count(self, severity: str) -> int:
        """Return the number of findings of one severity."""
        return sum(finding.severity == severity for finding in self.findings)

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {
            "dataset": self.name,
            "unit": self.unit,
            "files": self.files,
            "splits": self.splits,
            "errors": self.count("error"),
            "warnings": self.count("warning"),
            "findings": [finding.as_dict() for finding in self.findings],
            "images_per_identity": self.histograms,
            "sizes": self.sizes,
        }


def check_dataset(
    dataset: CheckedDataset,
    workers: int | None = None,
    advance: Advance = lambda count: None,
    plugins: Plugins | None = None,
) -> Report:
    """Read every image of a dataset, and say what is wrong with it.

    Args:
        dataset: The dataset to check.
        workers: Number of processes that read; as many as there are CPUs if None.
        advance: Called with the number of files that were read since, for a progress bar.
        plugins: Whose checks are made; the current ones if None.

    Raises:
        PluginError: This package's plugin is left out, which publishes the hook of the checks.
    """
    plugins = plugins or current_plugins()
    plugins.get(PLUGIN)
    image_stats, unreadable = scan_files(dataset.files.paths, workers, advance, dataset.reading)
    found = [
        finding
        for plugin, check in plugins.one_by_one("reid_check_data")
        for finding in _checked_by(plugin, check, dataset, image_stats, unreadable)
    ]
    labelled = dataset.splits if dataset.labelled else {}
    return Report(
        dataset.name,
        dataset.unit,
        len(dataset.files.paths),
        dataset.counts,
        tuple(sorted(found, key=_rank)),
        {name: histogram(table) for name, table in labelled.items()},
        sizes(image_stats),
    )


def _checked_by(
    plugin: Plugin,
    check: Callable[..., Any],
    dataset: CheckedDataset,
    image_stats: ImageStats,
    unreadable: Mapping[int, str],
) -> list[Finding]:
    """Return a plugin's findings; its failure costs the others' nothing."""
    try:
        answers = check(dataset=dataset, image_stats=image_stats, unreadable=unreadable)
        found = [finding for answer in answers for finding in answer]
        for finding in found:
            if not isinstance(finding, Finding):
                raise TypeError(f"a {type(finding).__name__} is no Finding")
    except UserError:
        raise
    except Exception as error:
        what = f"the checks of plugin {plugin.origin} failed: {describe(error)}"
        advice = "That is a mistake in the plugin; tell its author"
        return [Finding("failed-check", "error", what, 1, advice=advice)]
    return found


def _rank(finding: Finding) -> int:
    return SEVERITIES.index(finding.severity)
