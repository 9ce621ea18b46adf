"""Whether queries can be found at all, given who was seen by which camera."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from reid_plugins_inspect.checks.finding import Finding, first
from reid_plugins_inspect.checks.inputs import CheckedDataset
from reidcore.data import SampleTable
from reidcore.errors import counted

Mask = npt.NDArray[np.bool_]

ANY_CAMERA = "Test with test.protocol=any_camera, which takes no notice of cameras"


def find_hopeless_queries(dataset: CheckedDataset) -> Iterator[Finding]:
    """Yield findings on queries that the usual protocol has to skip, and on single cameras."""
    query, gallery = dataset.query, dataset.gallery
    if not len(query) or not len(gallery):
        return
    cameras = SampleTable.joined([query, gallery]).counts.cameras
    elsewhere, anywhere = _matched(query, gallery)
    if cameras == 1:
        yield Finding(
            "single-camera",
            "warning",
            "all test data is of one camera: the usual protocol finds no match for any query",
            len(query),
            advice=ANY_CAMERA,
        )
    else:
        yield from _report_queries(
            dataset,
            anywhere & ~elsewhere,
            "query-under-one-camera",
            "whose identity is in the gallery under their own camera only",
            ANY_CAMERA,
        )
    yield from _report_queries(
        dataset,
        ~anywhere,
        "query-without-match",
        "whose identity is not in the gallery",
        "They are skipped and counted by every protocol",
    )


def _report_queries(
    dataset: CheckedDataset, wanted: Mask, check: str, words: str, advice: str
) -> Iterator[Finding]:
    rows = np.flatnonzero(wanted)
    if not len(rows):
        return
    shown = [_path(dataset.query, row) for row in rows[:9].tolist()]
    if len(rows) == len(wanted):
        queries, severity = f"All {counted(len(rows), 'query', 'queries')}", "error"
    else:
        total = f"{len(wanted):,}"
        queries, severity = f"{counted(len(rows), 'query', 'queries')} of {total}", "warning"
    yield Finding(check, severity, f"{queries} {words}", len(rows), first(shown), advice)


def _matched(query: SampleTable, gallery: SampleTable) -> tuple[Mask, Mask]:
    """Return (Q,) whether a query's identity was seen by another camera, and by any."""
    seen = np.unique(np.stack([gallery.pids, gallery.camids], axis=1), axis=0)
    pids, cameras = np.unique(seen[:, 0], return_counts=True)
    place = np.minimum(np.searchsorted(pids, query.pids), len(pids) - 1)
    anywhere = pids[place] == query.pids
    own = _is_row_of(np.stack([query.pids, query.camids], axis=1), seen)
    return anywhere & (cameras[place] - own > 0), anywhere


def _is_row_of(rows: npt.NDArray[np.int64], known: npt.NDArray[np.int64]) -> Mask:
    """Return whether each row is among those of a sorted array of distinct ones."""
    _, numbers = np.unique(np.concatenate([known, rows]), axis=0, return_inverse=True)
    numbers = numbers.reshape(-1)
    return np.isin(numbers[len(known) :], numbers[: len(known)])


def _path(table: SampleTable, row: int) -> str:
    path = table.paths[row]
    return path if isinstance(path, str) else path[0]
