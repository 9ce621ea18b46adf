"""Queries that lie in the gallery too: as the same file, or as a copy of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from reid_plugins_inspect.checks.finding import Finding, first
from reid_plugins_inspect.checks.image_stats import GOOD, ImageStats
from reid_plugins_inspect.checks.inputs import GALLERY, QUERY, CheckedDataset
from reidcore.data import Int64Array, SampleTable
from reidcore.errors import counted
from reidcore.evaluation import equal_pairs

_RULE = "that is their identity and camera in common with the query"


class _Pairs(NamedTuple):
    """Queries and the gallery items that are equal to them in some way, (P,) each."""

    queries: Int64Array
    items: Int64Array


def find_queries_in_gallery(dataset: CheckedDataset, image_stats: ImageStats) -> Iterator[Finding]:
    """Yield a note on queries whose file is in the gallery, and a warning on copies of them.

    A run knows a file under all its names, and leaves it out of its own ranking; a copy, which
    only its content gives away, it does not.
    """
    query, gallery = dataset.query, dataset.gallery
    if not len(query) or not len(gallery):
        return
    same = _Pairs(*equal_pairs(query.paths.file_ids, gallery.paths.file_ids))
    if len(same.queries):
        junk = _is_junk(same, query, gallery)
        advice = (
            f"No query finds its own file: the usual protocol ignores {junk.sum():,} of these "
            f"pairs by its rule for junk ({_RULE}), and the run leaves out the other "
            f"{(~junk).sum():,}, under any_camera all {len(junk):,}"
        )
        what = "and gallery at once: the same file"
        yield _finding("query-in-gallery", "note", same, dataset, what, advice)
    copies = _copies(dataset, image_stats, same)
    if len(copies.queries):
        ranked = ~_is_junk(copies, query, gallery)
        advice = (
            f"A run does not compare contents. The usual protocol ignores {(~ranked).sum():,} of "
            f"these pairs by its rule for junk ({_RULE}) and ranks the other {ranked.sum():,}, "
            f"any_camera ranks all {len(ranked):,}: take the copies out of the gallery"
        )
        severity = "warning" if ranked.any() else "note"
        what = "with a copy of the file in the gallery"
        yield _finding("query-copied-in-gallery", severity, copies, dataset, what, advice)


def _finding(
    code: str, severity: str, pairs: _Pairs, dataset: CheckedDataset, what: str, advice: str
) -> Finding:
    queries = len(np.unique(pairs.queries))
    examples = first(_examples(pairs, dataset.query, dataset.gallery))
    message = f"{counted(queries, 'query', 'queries')} {what}"
    return Finding(code, severity, message, queries, examples, advice)


def _copies(dataset: CheckedDataset, image_stats: ImageStats, same: _Pairs) -> _Pairs:
    """Return the pairs of one content that are two files; of single images alone."""
    files, query, gallery = dataset.files, dataset.query, dataset.gallery
    if query.paths.has_tracklets or gallery.paths.has_tracklets:
        return _Pairs(same.queries[:0], same.items[:0])
    _, content = np.unique(image_stats["digest"], return_inverse=True)
    content = np.where(image_stats["state"] == GOOD, content.reshape(-1), -1)
    asked, known = (content[files.file[files.split == side]] for side in (QUERY, GALLERY))
    asked = np.where(asked < 0, -2, asked)  # what cannot be read equals nothing
    pairs = _Pairs(*equal_pairs(asked, known))
    other = ~np.isin(
        pairs.queries * len(gallery) + pairs.items, same.queries * len(gallery) + same.items
    )
    return _Pairs(pairs.queries[other], pairs.items[other])


def _is_junk(pairs: _Pairs, query: SampleTable, gallery: SampleTable) -> npt.NDArray[np.bool_]:
    """Return (P,) whether Market1501's rule ignores the gallery item for the query."""
    people = query.pids[pairs.queries] == gallery.pids[pairs.items]
    cameras = query.camids[pairs.queries] == gallery.camids[pairs.items]
    junk: npt.NDArray[np.bool_] = people & cameras
    return junk


def _examples(pairs: _Pairs, query: SampleTable, gallery: SampleTable) -> list[str]:
    shown = zip(pairs.queries[:9].tolist(), pairs.items[:9].tolist(), strict=True)
    return [_named(_path(query, row), _path(gallery, item)) for row, item in shown]


def _named(path: str, other: str) -> str:
    return path if path == other else f"{path} = {other}"


def _path(table: SampleTable, row: int) -> str:
    path = table.paths[row]
    return path if isinstance(path, str) else path[0]
