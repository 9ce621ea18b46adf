"""This package's own checks, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reid_plugins_inspect.checks.cameras import find_hopeless_queries
from reid_plugins_inspect.checks.corrupt import find_damage
from reid_plugins_inspect.checks.duplicates import find_duplicates, find_near_duplicates
from reid_plugins_inspect.checks.finding import Finding
from reid_plugins_inspect.checks.identities import find_leaks, find_lonely
from reid_plugins_inspect.checks.image_stats import Facts
from reid_plugins_inspect.checks.inputs import Subject
from reid_plugins_inspect.checks.sizes import find_tiny


def find_everything(
    subject: Subject, facts: Facts, reasons: Mapping[int, str]
) -> Iterator[Finding]:
    """Yield what is wrong with a dataset.

    Args:
        subject: the dataset.
        facts: (M,) records about its files.
        reasons: place of a file -> why it cannot be read.
    """
    yield from find_damage(subject, facts, reasons)
    yield from find_duplicates(subject, facts)
    yield from find_near_duplicates(subject, facts)
    yield from find_tiny(subject, facts)
    if subject.labelled:
        yield from find_leaks(subject)
        yield from find_hopeless_queries(subject)
        yield from find_lonely(subject)
    if subject.differences:
        yield _official_counts(subject)


def _official_counts(subject: Subject) -> Finding:
    return Finding(
        "official-counts",
        "warning",
        f"{subject.name} is not as its authors published it",
        len(subject.differences),
        tuple(map(str, subject.differences)),
        "Get it again, or another version of it; official numbers are in brackets",
    )
