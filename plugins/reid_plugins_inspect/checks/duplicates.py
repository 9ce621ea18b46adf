"""Images that are there twice: the same file, or a picture that looks the same."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from reid_plugins_inspect.checks.finding import Finding, first
from reid_plugins_inspect.checks.groups import examples_of, mixture
from reid_plugins_inspect.checks.image_stats import GOOD, ImageStats
from reid_plugins_inspect.checks.inputs import CheckedDataset
from reid_plugins_inspect.checks.near_duplicates import clusters
from reidcore.data import Int64Array
from reidcore.errors import counted

Mask = npt.NDArray[np.bool_]


def find_duplicates(dataset: CheckedDataset, image_stats: ImageStats) -> Iterator[Finding]:
    """Yield findings on files of the same bytes."""
    good = image_stats["state"] == GOOD
    _, inverse, counts = np.unique(image_stats["digest"], return_inverse=True, return_counts=True)
    inverse = inverse.reshape(-1)
    repeated = good & (counts[inverse] > 1)
    yield from _report_groups(dataset, _numbered(inverse, repeated), "duplicate", "file", "copies")


def find_near_duplicates(
    dataset: CheckedDataset, image_stats: ImageStats, distance: int = 3
) -> Iterator[Finding]:
    """Yield findings on different files that show nearly the same picture.

    Args:
        dataset: What is checked.
        image_stats: (M,) records of its files.
        distance: By how many of its 64 bits each perceptual hash may differ.
    """
    good = np.flatnonzero(image_stats["state"] == GOOD)
    # One file of each content is enough: copies are reported already.
    _, firsts = np.unique(image_stats["digest"][good], return_index=True)
    some = good[np.sort(firsts)]
    found = clusters(image_stats["across"][some], image_stats["down"][some], distance)
    group = np.full(len(image_stats), -1, dtype=np.int64)
    group[some] = found
    yield from _report_groups(
        dataset, _numbered(group, group >= 0), "near-duplicate", "picture", "near copies"
    )


def _numbered(labels: Int64Array, inside: Mask) -> Int64Array:
    """Return the labels numbered from 0, and -1 outside."""
    group = np.full(len(labels), -1, dtype=np.int64)
    if inside.any():
        group[inside] = np.unique(labels[inside], return_inverse=True)[1].reshape(-1)
    return group


def _report_groups(
    dataset: CheckedDataset, group: Int64Array, check: str, one: str, copies: str
) -> Iterator[Finding]:
    count = int(group.max(initial=-1)) + 1
    if not count:
        return
    exact = check == "duplicate"
    mixed = mixture(group, count, dataset.files)
    sizes = np.bincount(group[group >= 0], minlength=count)
    people = mixed.people & ~mixed.phases & dataset.labelled
    where = "of one identity" if dataset.labelled else "in one folder"
    kinds: list[tuple[Mask, str, str, str, str]] = [
        (
            mixed.phases,
            f"{check}-in-train-and-test",
            "error" if exact else "warning",
            "in train and test at once",
            "Remove them from one of the two: the test is too easy",
        ),
        (
            people,
            f"{check}-of-two-identities",
            "error" if exact else "warning",
            "under different identities",
            "One of the labels may be wrong, or two people stand in one picture",
        ),
        (~mixed.phases & ~people, check, "warning" if exact else "note", where, ""),
    ]
    for wanted, name, severity, place, advice in kinds:
        groups = int(wanted.sum())
        if groups:
            images = int(sizes[wanted].sum())
            shown = examples_of(group, wanted, dataset.files.paths)
            yield Finding(
                name,
                severity,
                f"{counted(groups, one)} with {copies}, {place} ({images:,} images in all)",
                groups,
                first(shown),
                advice,
            )
