"""How good identities are, where the truth is known.

IDP, IDR and IDF1 are those of Ristani et al., "Performance Measures and a Data Set for
Multi-Target, Multi-Camera Tracking" (ECCV Workshops 2016): each true identity is matched to at most
one that was found, over all cameras and frames together, so that as many boxes as possible agree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from reid_plugins_link.boxes import Boxes, Float64, Int64
from reid_plugins_link.grouping import import_scipy
from reid_plugins_link.tracklets import Tracklets

_OVERLAP = 0.5  # intersection over union from which two boxes are one person's


@dataclass(frozen=True)
class IdentityScores:
    """How well boxes bear the identities that they should.

    Attributes:
        idf1: harmonic mean of the two others.
        idp: share of the boxes found whose identity is right.
        idr: share of the true boxes that were found under the right identity.
        boxes: number of boxes found.
        true_boxes: number of true boxes.
    """

    idf1: float
    idp: float
    idr: float
    boxes: int
    true_boxes: int


@dataclass(frozen=True)
class JoinScores:
    """How well tracks were joined, whatever the tracks are worth.

    Attributes:
        precision: share of the pairs of tracks in one identity that are of one person.
        recall: share of the pairs of tracks of one person that are in one identity.
        purity: share of the boxes that are of the person to whom most of their identity's belong.
        nobody: number of tracks that are of no true person in most of their boxes.
    """

    precision: float
    recall: float
    purity: float
    nobody: int


@dataclass(frozen=True)
class Scores:
    """What the truth says of identities.

    Attributes:
        found: of the identities.
        alone: as if no track had been joined to another.
        at_best: as if the same tracks had been joined by the truth.
        joins: how well tracks were joined.
    """

    found: IdentityScores
    alone: IdentityScores
    at_best: IdentityScores
    joins: JoinScores

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return asdict(self)


def score(tracklets: Tracklets, identity: Int64, truth: Mapping[str, Boxes]) -> Scores:
    """Compare identities with the truth.

    Args:
        tracklets: all tracks.
        identity: (T,) of each.
        truth: camera -> true boxes; cameras without truth do not count.
    """
    cameras = [k for k, name in enumerate(tracklets.cameras) if name in truth]
    own = [tracklets.of_boxes(k) for k in cameras]
    true = [truth[tracklets.cameras[k]] for k in cameras]
    pairs = [
        matching_boxes(boxes, tracklets.boxes[k]) for k, boxes in zip(cameras, true, strict=True)
    ]
    person = _people(len(tracklets), own, true, pairs)
    # Tracks of nobody stay apart, and so do those of cameras without truth.
    apart = person.max(initial=0) + 1 + np.arange(len(tracklets))
    by_truth = np.where(person >= 0, person, apart)

    def scored(labels: Int64) -> IdentityScores:
        return _identity_scores(labels, own, true, pairs)

    counted = np.isin(tracklets.camera, cameras)
    sizes = tracklets.last - tracklets.first + 1
    joins = _join_scores(identity[counted], person[counted], sizes[counted])
    alone = scored(np.arange(len(tracklets)))
    return Scores(scored(identity), alone, scored(by_truth), joins)


def matching_boxes(truth: Boxes, found: Boxes) -> tuple[Int64, Int64, Float64]:
    """Return the pairs of boxes of one frame that overlap by half or more.

    Returns:
        (M,) rows of the truth, (M,) rows of what was found, and (M,) their intersections over
        unions.
    """
    rows = [_by_frame(boxes) for boxes in (truth, found)]
    matches: list[tuple[Int64, Int64, Float64]] = []
    for frame, true in rows[0].items():
        other = rows[1].get(frame)
        if other is not None:
            overlaps = _overlaps(truth.places[true], found.places[other])
            a, b = np.nonzero(overlaps >= _OVERLAP)
            matches.append((true[a], other[b], overlaps[a, b]))
    none = np.zeros(0, dtype=np.int64)
    columns = zip(*matches, strict=True) if matches else ((none,), (none,), (np.zeros(0),))
    a, b, overlap = (np.concatenate(column) for column in columns)
    return a, b, overlap


def _by_frame(boxes: Boxes) -> dict[int, Int64]:
    order = np.argsort(boxes.frames, kind="stable")
    frames, starts = np.unique(boxes.frames[order], return_index=True)
    return dict(zip(frames.tolist(), np.split(order, starts[1:]), strict=True))


def _overlaps(a: Float64, b: Float64) -> Float64:
    """Return (A, B) intersections over unions of boxes as left, top, width, height."""
    both = np.ones((len(a), len(b)))
    for side in (0, 1):
        ends = np.minimum.outer(a[:, side] + a[:, side + 2], b[:, side] + b[:, side + 2])
        both *= np.clip(ends - np.maximum.outer(a[:, side], b[:, side]), 0, None)
    areas = np.add.outer(a[:, 2] * a[:, 3], b[:, 2] * b[:, 3])
    return both / (areas - both)


def _people(
    count: int,
    own: Sequence[Int64],
    true: Sequence[Boxes],
    pairs: Sequence[tuple[Int64, Int64, Float64]],
) -> Int64:
    """Return (T,) the person of whom more than half of a track's boxes are, -1 for nobody."""
    votes: list[Counter[int]] = [Counter() for _ in range(count)]
    sizes = np.zeros(count)
    for tracks, boxes, (a, b, overlap) in zip(own, true, pairs, strict=True):
        np.add.at(sizes, tracks, 1)
        order = np.argsort(-overlap, kind="stable")
        _, best = np.unique(b[order], return_index=True)  # of each box the nearest true one
        for row in order[best]:
            votes[tracks[b[row]]][int(boxes.tracks[a[row]])] += 1
    found = np.full(count, -1)
    for place, vote in enumerate(votes):
        for person, boxes_of in vote.most_common(1):
            if 2 * boxes_of > sizes[place]:
                found[place] = person
    return found


def _identity_scores(
    identity: Int64,
    own: Sequence[Int64],
    true: Sequence[Boxes],
    pairs: Sequence[tuple[Int64, Int64, Float64]],
) -> IdentityScores:
    boxes, true_boxes = sum(map(len, own)), sum(map(len, true))
    labels, places = np.unique(identity, return_inverse=True)
    people = np.unique(np.concatenate([each.tracks for each in true])) if true else np.zeros(0)
    agree = np.zeros((len(people), len(labels)))
    for tracks, each, (a, b, _) in zip(own, true, pairs, strict=True):
        rows = np.searchsorted(people, each.tracks[a])
        np.add.at(agree, (rows, places[tracks[b]]), 1)
    assign = import_scipy("scipy.optimize").linear_sum_assignment
    right = int(agree[assign(agree, maximize=True)].sum())
    return IdentityScores(
        _share(2 * right, boxes + true_boxes),
        _share(right, boxes),
        _share(right, true_boxes),
        boxes,
        true_boxes,
    )


def _join_scores(identity: Int64, person: Int64, sizes: Int64) -> JoinScores:
    """Score joins; a track of nobody is rightly joined to none."""
    is_known = person >= 0
    joined = _pairs(Counter(identity.tolist()))
    theirs = _pairs(Counter(person[is_known].tolist()))
    both = Counter(zip(identity[is_known].tolist(), person[is_known].tolist(), strict=True))
    right = _pairs(both)
    most: Counter[int] = Counter()
    weights: Counter[tuple[int, int]] = Counter()
    for label, who, size in zip(identity.tolist(), person.tolist(), sizes.tolist(), strict=True):
        weights[label, who] += size
    for (label, who), weight in weights.items():
        if who >= 0:
            most[label] = max(most[label], weight)
    purity = _share(most.total(), int(sizes.sum()))
    return JoinScores(_share(right, joined), _share(right, theirs), purity, int((~is_known).sum()))


def _pairs(sizes: Counter[Any]) -> int:
    return sum(size * (size - 1) // 2 for size in sizes.values())


def _share(part: int, whole: int) -> float:
    """Return a share; of nothing, all is right."""
    return part / whole if whole else 1.0
