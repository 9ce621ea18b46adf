"""Who is in which split: leaks between training and test, and images for each identity."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from reid_plugins_inspect.checks.finding import Finding, first
from reid_plugins_inspect.checks.inputs import CheckedDataset
from reidcore.data import SampleTable
from reidcore.errors import counted

BUCKETS = ((1, 1), (2, 4), (5, 9), (10, 19), (20, 49), (50, 99), (100, None))
"""Numbers of images for one identity that the histogram counts together."""


def find_leaks(dataset: CheckedDataset) -> Iterator[Finding]:
    """Yield an error if identities are learnt from and tested on."""
    if dataset.pids_apart:
        return
    test = SampleTable.joined([dataset.query, dataset.gallery])
    both = np.intersect1d(dataset.train.pids, test.pids)
    both = both[both > 0] if _marks_distractors(dataset) else both[both >= 0]
    if len(both):
        yield Finding(
            "identity-in-train-and-test",
            "error",
            f"{counted(len(both), 'identity', 'identities')} in train and test at once",
            len(both),
            first([f"identity {test.names.pid(pid)}" for pid in both.tolist()]),
            "Give test identities that are not learnt from; if one number means two people, "
            "number them apart or say --pids-apart",
        )


def find_lonely(dataset: CheckedDataset) -> Iterator[Finding]:
    """Yield a note on training identities with a single image, of which no pair can be made."""
    pids, counts = np.unique(dataset.train.pids, return_counts=True)
    lonely = pids[(counts == 1) & (pids >= 0)]
    if len(lonely):
        unit = dataset.unit.removesuffix("s")
        identities = counted(len(lonely), "training identity", "training identities")
        yield Finding(
            "single-image-identity",
            "note",
            f"{identities} of {len(pids):,} with a single {unit}",
            len(lonely),
            first([f"identity {dataset.train.names.pid(pid)}" for pid in lonely.tolist()]),
            "Losses of pairs and triplets learn nothing from them",
        )


def find_nobody(dataset: CheckedDataset) -> Iterator[Finding]:
    """Yield a warning on training images of a negative identity, which no run learns from."""
    nobody = dataset.train.take(dataset.train.pids < 0)
    if len(nobody):
        paths = (path if isinstance(path, str) else path[0] for path in nobody.paths[:9])
        yield Finding(
            "negative-identity",
            "warning",
            f"{counted(len(nobody), 'training image')} of {len(dataset.train):,} with a negative "
            "identity, which no run learns from",
            len(nobody),
            first(list(paths)),
            "Number identities from 0",
        )


def histogram(table: SampleTable) -> dict[str, Any]:
    """Say how many images the identities of a split have.

    Returns:
        ``min``, ``median`` and ``max`` images of an identity, and ``buckets``: a range of numbers
        of images -> how many identities have so many.
    """
    counts = np.unique(table.pids[table.pids >= 0], return_counts=True)[1]
    if not len(counts):
        return {}
    buckets = {}
    for low, high in BUCKETS:
        name = f"{low}+" if high is None else str(low) if low == high else f"{low}-{high}"
        within = (counts >= low) & (counts <= (high or counts.max()))
        buckets[name] = int(within.sum())
    return {
        "min": int(counts.min()),
        "median": float(np.median(counts)),
        "max": int(counts.max()),
        "buckets": buckets,
    }


def _marks_distractors(dataset: CheckedDataset) -> bool:
    """Say whether identity 0 is the gallery's background, which nobody is searched for as."""
    if dataset.gallery.names.pids:  # the first name is somebody
        return False
    return bool((dataset.gallery.pids == 0).any() and not (dataset.query.pids == 0).any())
