"""Images that are there twice: the same file, its copy, or a picture that looks the same."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from reid_plugins_inspect.checks.finding import Finding, first
from reid_plugins_inspect.checks.groups import examples_of, mixture
from reid_plugins_inspect.checks.image_stats import GOOD, ImageStats
from reid_plugins_inspect.checks.inputs import GALLERY, QUERY, TRAIN, CheckedDataset, Files
from reid_plugins_inspect.checks.near_duplicates import clusters
from reidcore.data import Int64Array
from reidcore.errors import counted

Mask = npt.NDArray[np.bool_]


def find_duplicates(dataset: CheckedDataset, image_stats: ImageStats) -> Iterator[Finding]:
    """Yield findings on files of the same bytes, and on files that are listed twice.

    A file that is a query and a gallery item once each is no duplicate: see
    `find_queries_in_gallery`.
    """
    files = dataset.files
    good = image_stats["state"] == GOOD
    _, content, counts = np.unique(image_stats["digest"], return_inverse=True, return_counts=True)
    content = content.reshape(-1)
    repeated = good & (counts[content] > 1)
    # Nothing is known of what a file of no use holds: it equals itself alone.
    content = np.where(good, content, len(counts) + np.arange(len(good)))
    group = _numbered(content, repeated | _listed_twice(files))
    listed = np.bincount(files.file, minlength=len(files.paths))
    names = list(files.paths)
    for place in np.flatnonzero((group >= 0) & (listed > 1)).tolist():
        names[place] += f" (listed {listed[place]:,} times)"
    copies = "copies or listed more than once"
    yield from _report_groups(dataset, group, "duplicate", "file", copies, names)


def _listed_twice(files: Files) -> Mask:
    """Return (M,) whether a file is in a split twice, in train and test, or of two identities."""
    twice = np.zeros(len(files.paths), dtype=np.bool_)
    for split in (TRAIN, QUERY, GALLERY):
        twice |= np.bincount(files.file[files.split == split], minlength=len(twice)) > 1
    mixed = mixture(np.arange(len(twice)), len(twice), files)
    return twice | mixed.phases | mixed.people


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
        dataset,
        _numbered(group, group >= 0),
        "near-duplicate",
        "picture",
        "near copies",
        dataset.files.paths,
    )


def _numbered(labels: Int64Array, inside: Mask) -> Int64Array:
    """Return the labels numbered from 0, and -1 outside."""
    group = np.full(len(labels), -1, dtype=np.int64)
    if inside.any():
        group[inside] = np.unique(labels[inside], return_inverse=True)[1].reshape(-1)
    return group


def _report_groups(
    dataset: CheckedDataset,
    group: Int64Array,
    check: str,
    one: str,
    copies: str,
    names: list[str],
) -> Iterator[Finding]:
    count = int(group.max(initial=-1)) + 1
    if not count:
        return
    exact = check == "duplicate"
    mixed = mixture(group, count, dataset.files)
    used = group[dataset.files.file]
    sizes = np.bincount(used[used >= 0], minlength=count)
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
            shown = examples_of(group, wanted, names)
            yield Finding(
                name,
                severity,
                f"{counted(groups, one)} with {copies}, {place} ({images:,} images in all)",
                groups,
                first(shown),
                advice,
            )
