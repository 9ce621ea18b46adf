"""Which crops of a track are looked at: good ones, spread over its time.

A track's features are a mean over its crops, in which good crops count more. How good a crop is,
from 0 to 1, is a product of what can be seen of its box alone: the detector's confidence, how much
of it is visible, its size beside the track's largest, and how near its shape is to the track's
usual one, which a box around half a person or around two is not. Sharpness is looked at when the
crop is cut (`features`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reid_plugins_link.boxes import Boxes, Float64, Int64
from reid_plugins_link.tracklets import Tracklets

_SHAPE = 2.0  # a box twice as slim as usual counts a quarter
_LEAST = 1e-3  # no crop of a track counts nothing: it may be the best there is


@dataclass(frozen=True, eq=False)
class Crops:
    """C crops, in the order of cameras and frames.

    Attributes:
        tracklet: (C,) of which track each is.
        row: (C,) which box of its camera.
        quality: (C,) 0 to 1.
    """

    tracklet: Int64
    row: Int64
    quality: Float64

    def __len__(self) -> int:
        return len(self.tracklet)


def choose_crops(tracklets: Tracklets, count: int) -> Crops:
    """Choose at most so many crops of each track: the best of each part of its time.

    Args:
        tracklets: all tracks.
        count: how many crops of each.
    """
    chosen: list[tuple[int, int, float]] = []
    qualities = [box_quality(boxes) for boxes in tracklets.boxes]
    for place in range(len(tracklets)):
        rows = tracklets.rows(place)
        quality = qualities[tracklets.camera[place]][rows]
        for part in np.array_split(np.arange(len(quality)), min(count, len(quality))):
            best = int(part[np.argmax(quality[part])])
            chosen.append((place, rows.start + best, float(quality[best])))
    tracklet, row, quality = (np.array(column) for column in zip(*chosen, strict=True))
    camera = tracklets.camera[tracklet]
    frame = np.empty(len(tracklet), dtype=np.int64)
    for number, boxes in enumerate(tracklets.boxes):
        of_camera = camera == number
        frame[of_camera] = boxes.frames[row[of_camera]]
    order = np.lexsort((tracklet, frame, camera))
    return Crops(tracklet[order], row[order], quality[order])


def box_quality(boxes: Boxes) -> Float64:
    """Return (N,) how good the crops of a camera's boxes are, from 0 to 1."""
    width, height = boxes.places[:, 2], boxes.places[:, 3]
    _, own = np.unique(boxes.tracks, return_inverse=True)
    size = np.sqrt(width * height)
    largest = np.zeros(own.max(initial=0) + 1)
    np.maximum.at(largest, own, size)
    shape = np.log(width / height)
    usual = _medians(shape, own)
    likely = np.exp(-_SHAPE * np.abs(shape - usual[own]))
    seen = np.minimum(boxes.visibility, 1 - covered(boxes))
    quality: Float64 = boxes.confidence * seen * size / largest[own] * likely
    return np.maximum(quality, _LEAST)


def covered(boxes: Boxes) -> Float64:
    """Return (N,) the share of each box that the nearest other box in front of it covers.

    In front is what ends lower in the frame, as of things that stand on the ground.
    """
    hidden = np.zeros(len(boxes))
    order = np.argsort(boxes.frames, kind="stable")
    starts = np.flatnonzero(np.diff(boxes.frames[order], prepend=-1))
    for rows in np.split(order, starts[1:]):
        if len(rows) > 1:
            left, top, width, height = boxes.places[rows].T
            right, bottom = left + width, top + height
            # (n, n): row by row the overlap with each other box of the frame.
            across = np.minimum.outer(right, right) - np.maximum.outer(left, left)
            down = np.minimum.outer(bottom, bottom) - np.maximum.outer(top, top)
            both = np.clip(across, 0, None) * np.clip(down, 0, None)
            is_behind = bottom[:, None] < bottom[None, :]
            hidden[rows] = (both * is_behind / (width * height)[:, None]).max(axis=1)
    return np.minimum(hidden, 1.0)


def _medians(values: Float64, groups: Int64) -> Float64:
    """Return the median of the values of each group, which are numbered from 0."""
    order = np.lexsort((values, groups))
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    parts = np.split(values[order], starts[1:])
    return np.array([np.median(part) for part in parts])
