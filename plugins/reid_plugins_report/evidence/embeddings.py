"""The features that the map of the embeddings is made of: all images of some identities."""

from __future__ import annotations

import numpy as np

from reid_plugins_report.evidence.labels import rows_of
from reid_plugins_report.evidence.parts import Embeddings, Floats, Ints
from reidcore.engine import TestSet

SEED = 0
MOST_OF_ONE = 40  # images of one identity
DIMENSIONS = 48  # as many as t-SNE and UMAP are usually given


def embeddings_of(
    query: TestSet, gallery: TestSet, count: int, *, normalised: bool
) -> Embeddings | None:
    """Return the features of some identities, in as many dimensions as a map is made from.

    Args:
        query: the queries.
        gallery: the gallery, of which distractors are left out.
        count: how many images at most.
        normalised: bring all features to length 1, as the cosine compares them.

    Returns:
        None where fewer than three images would be shown.
    """
    pids = np.concatenate([query.table.pids, gallery.table.pids])
    rows = chosen_rows(pids, query.table.pids, count)
    if len(rows) < 3:
        return None
    is_query = rows < len(query.table)
    features = np.concatenate(
        [
            query.features[rows[is_query]].numpy(),
            gallery.features[rows[~is_query] - len(query.table)].numpy(),
        ]
    ).astype(np.float64)
    if normalised:
        features /= np.linalg.norm(features, axis=1, keepdims=True).clip(1e-12)
    components, explained = principal_components(features)
    shown = [rows_of(query.table, rows[is_query])]
    shown.append(rows_of(gallery.table, rows[~is_query] - len(query.table)))
    path, pid, camid = (np.concatenate(each) for each in zip(*shown, strict=True))
    return Embeddings(components, explained, path, pid, camid, is_query)


def chosen_rows(pids: Ints, of_queries: Ints, count: int) -> Ints:
    """Return the images of identities drawn by lot among those that are searched for.

    Args:
        pids: (N,) of all images.
        of_queries: those of the queries.
        count: how many images at most.

    Returns:
        Ascending indices.
    """
    lots = np.random.default_rng(SEED)
    chosen: list[Ints] = []
    room = count
    for pid in lots.permutation(np.unique(of_queries)):
        rows = np.flatnonzero(pids == pid)
        if len(rows) > MOST_OF_ONE:
            rows = lots.choice(rows, MOST_OF_ONE, replace=False)
        if len(rows) > room:
            break
        chosen.append(rows)
        room -= len(rows)
    return np.sort(np.concatenate(chosen)) if chosen else np.zeros(0, dtype=np.int64)


def principal_components(features: Floats) -> tuple[Floats, Floats]:
    """Return (n, d) principal components of features (n, D), and the share of the first two.

    The sign of each is such that its greatest value is positive.
    """
    centred = features - features.mean(axis=0)
    left, scale, _ = np.linalg.svd(centred, full_matrices=False)
    kept = min(DIMENSIONS, len(scale))
    components = left[:, :kept] * scale[:kept]
    greatest = components[np.abs(components).argmax(axis=0), np.arange(kept)]
    components *= np.where(greatest < 0, -1.0, 1.0)
    variance = np.square(scale)
    explained = variance[:2].sum() / max(variance.sum(), np.finfo(float).tiny)
    return components.astype(np.float32), np.array(explained)
