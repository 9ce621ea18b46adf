"""Pairs of tracks that a person should look at: near the threshold, on either side of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO

import numpy as np

from reid_plugins_link.boxes import Int64
from reid_plugins_link.linking import Linked
from reid_plugins_link.threshold import Threshold
from reid_plugins_link.tracklets import Tracklets

_MOST = 1000
_PLACE = ("camera", "track", "frame", "left", "top", "width", "height")


@dataclass(frozen=True)
class Doubt:
    """A pair of tracks that is neither surely the same nor surely different.

    Attributes:
        a: a track.
        b: another, which begins no earlier.
        joined: whether they are of one identity as it stands.
        similarity: mean similarity of what stands in question: of two identities, or of a track
            and the others of its own.
        score: that minus the threshold.
    """

    a: int
    b: int
    joined: bool
    similarity: float
    score: float


def find_doubts(linked: Linked, threshold: Threshold) -> list[Doubt]:
    """Return what is nearest to the threshold first, at most 1,000 pairs.

    Of two identities that may be one, the two most similar tracks are named; of a track that may
    not belong to its identity, itself and the most similar of the others.

    Args:
        linked: the identities.
        threshold: from where to where pairs are undecided.
    """
    found = {(doubt.a, doubt.b): doubt for doubt in _apart(linked, threshold.below)}
    found |= {(doubt.a, doubt.b): doubt for doubt in _within(linked, threshold.above)}
    return sorted(found.values(), key=lambda doubt: abs(doubt.score))[:_MOST]


def _apart(linked: Linked, below: float) -> Iterator[Doubt]:
    """Yield pairs of identities that are just not similar enough, and could be one."""
    members = [np.flatnonzero(linked.identity == 1 + k) for k in range(linked.count)]
    order, starts = np.argsort(linked.identity, kind="stable"), _starts(linked.identity)
    # (K, K) sums over the tracks of two identities.
    scores, forbidden = (
        np.add.reduceat(np.add.reduceat(matrix[np.ix_(order, order)], starts), starts, axis=1)
        for matrix in (linked.scores, linked.constraints.forbidden.astype(np.float64))
    )
    sizes = np.array([len(own) for own in members])
    means = scores / np.outer(sizes, sizes)
    near = np.triu((means >= -below) & (means < 0) & (forbidden == 0), k=1)
    for k, other in np.argwhere(near):
        pairs = np.ix_(members[k], members[other])
        own = linked.scores[pairs]
        row, column = np.unravel_index(np.argmax(own), own.shape)
        similarity = float(linked.similarity[pairs].mean())
        yield _doubt(
            members[k][row], members[other][column], False, similarity, float(means[k, other])
        )


def _within(linked: Linked, above: float) -> Iterator[Doubt]:
    """Yield tracks that are just similar enough to the others of their identity."""
    for label in range(1, linked.count + 1):
        members = np.flatnonzero(linked.identity == label)
        for place in members.tolist() if len(members) > 1 else ():
            others = members[members != place]
            score = float(linked.scores[place, others].mean())
            if score < above:
                nearest = others[np.argmax(linked.scores[place, others])]
                similarity = float(linked.similarity[place, others].mean())
                yield _doubt(place, nearest, True, similarity, score)


def _doubt(a: int, b: int, joined: bool, similarity: float, score: float) -> Doubt:
    first, second = sorted((int(a), int(b)))
    return Doubt(first, second, joined, similarity, score)


def _starts(identity: Int64) -> Int64:
    return np.cumsum([0, *np.bincount(identity)[1:-1]])


def write_doubts(
    file: IO[bytes],
    doubts: Iterable[Doubt],
    tracklets: Tracklets,
    rows: Sequence[int | None],
    threshold: Threshold,
) -> None:
    """Write a row for each pair, with the place of each track's best crop; `decisions` reads it.

    Args:
        file: where to.
        doubts: the pairs.
        tracklets: all tracks.
        rows: for each track the row of its best crop among its camera's boxes.
        threshold: what gives probabilities.
    """
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text)
    places = [f"{name}_{side}" for side in "ab" for name in _PLACE]
    writer.writerow(["joined", "similarity", "probability", *places, "decision"])
    for doubt in doubts:
        probability = threshold.probability(doubt.similarity)
        shown = "" if probability is None else f"{probability:.3f}"
        cells = [cell for place in (doubt.a, doubt.b) for cell in _place(tracklets, rows, place)]
        joined = "yes" if doubt.joined else "no"
        writer.writerow([joined, f"{doubt.similarity:.4f}", shown, *cells, ""])
    text.detach()


def _place(tracklets: Tracklets, rows: Sequence[int | None], place: int) -> list[str]:
    boxes = tracklets.boxes[tracklets.camera[place]]
    best = rows[place]
    row = int(tracklets.first[place]) if best is None else best
    box = [f"{value:.1f}" for value in boxes.places[row]]
    camera = tracklets.cameras[tracklets.camera[place]]
    return [camera, str(tracklets.track[place]), str(boxes.frames[row]), *box]
