"""All checks of a dataset, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reid_plugins_inspect.checks.cameras import find_hopeless_queries
from reid_plugins_inspect.checks.corrupt import find_damage
from reid_plugins_inspect.checks.duplicates import find_duplicates, find_near_duplicates
from reid_plugins_inspect.checks.finding import SEVERITIES, Finding
from reid_plugins_inspect.checks.identities import find_leaks, find_lonely, histogram
from reid_plugins_inspect.checks.image_stats import Facts
from reid_plugins_inspect.checks.inputs import Subject
from reid_plugins_inspect.checks.scan import Advance, survey
from reid_plugins_inspect.checks.sizes import find_tiny, sizes


@dataclass(frozen=True)
class Report:
    """What was found.

    Attributes:
        name: of the dataset.
        unit: ``images`` or ``tracklets``.
        files: number of image files, each counted once.
        splits: split -> ``ids``, ``images`` and ``cameras``.
        findings: the worst first.
        histograms: split -> images of its identities, see `histogram`.
        sizes: of the pictures, see `sizes`.
    """

    name: str
    unit: str
    files: int
    splits: Mapping[str, Mapping[str, int]]
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


def check_up(
    subject: Subject,
    workers: int | None = None,
    advance: Advance = lambda count: None,
) -> Report:
    """Read every image of a dataset, and say what is wrong with it.

    Args:
        subject: The dataset.
        workers: Number of processes that read; as many as there are CPUs if None.
        advance: Told of each few files that are done, for a progress bar.
    """
    facts, reasons = survey(subject.files.paths, workers, advance)
    found = sorted(_find(subject, facts, reasons), key=_rank)
    labelled = subject.splits if subject.labelled else {}
    return Report(
        subject.name,
        subject.unit,
        len(subject.files.paths),
        {name: table.counts._asdict() for name, table in subject.splits.items()},
        tuple(found),
        {name: histogram(table) for name, table in labelled.items()},
        sizes(facts),
    )


def _find(subject: Subject, facts: Facts, reasons: Mapping[int, str]) -> Iterator[Finding]:
    yield from find_damage(subject, facts, reasons)
    yield from find_duplicates(subject, facts)
    yield from find_near_duplicates(subject, facts)
    yield from find_tiny(subject, facts)
    if subject.labelled:
        yield from find_leaks(subject)
        yield from find_hopeless_queries(subject)
        yield from find_lonely(subject)
    if subject.differences:
        yield Finding(
            "official-counts",
            "warning",
            f"{subject.name} is not as its authors published it",
            len(subject.differences),
            tuple(map(str, subject.differences)),
            "Get it again, or another version of it; official numbers are in brackets",
        )


def _rank(finding: Finding) -> int:
    return SEVERITIES.index(finding.severity)
