"""Who can be searched for, and which of their images are the queries.

A query needs a match that is no near copy of it. Across cameras that is an image of another camera.
Within one camera it is an image of another track: neighbouring frames of a track show nearly one
picture, and finding one by the other says nothing. Where an identity has one track only, the match
comes from its later half.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from reid_plugins_own_data.splitting.sightings import Sightings
from reidcore.data import Int64Array, seeded_order


class Reach(IntEnum):
    """How far apart two images of an identity can be, the best first."""

    CAMERAS = 0
    TRACKS = 1
    TRACK = 2
    NONE = 3


class Search(NamedTuple):
    """The rows of a searched identity; those in neither are of use to nobody.

    Attributes:
        queries: rows.
        gallery: rows.
    """

    queries: Int64Array
    gallery: Int64Array


def reach_of(sightings: Sightings, pid: int) -> Reach:
    """Return how far apart two images of an identity can be."""
    rows = sightings.rows_of[pid]
    if len(np.unique(sightings.camids[rows])) > 1:
        return Reach.CAMERAS
    if len(np.unique(sightings.tracks[rows])) > 1:
        return Reach.TRACKS
    return Reach.TRACK if len(rows) > 1 else Reach.NONE


def across_cameras(sightings: Sightings, pid: int, per_camera: int, seed: int) -> Search:
    """Choose queries of an identity that two cameras or more see.

    Each camera with several images of it gives some of them, and keeps one for the gallery; where
    none has several, one camera gives its image. So each query has a match in another camera.

    Args:
        sightings: all images.
        pid: the identity.
        per_camera: queries of a camera, at most.
        seed: another number draws others.
    """
    rows, name = sightings.rows_of[pid], sightings.name(pid)
    cameras = {
        camid: rows[sightings.camids[rows] == camid]
        for camid in np.unique(sightings.camids[rows]).tolist()
    }
    several = {camid: own for camid, own in cameras.items() if len(own) > 1}
    if several:
        drawn = [
            _drawn(own, min(per_camera, len(own) - 1), f"{seed} {name} {camid}")
            for camid, own in several.items()
        ]
    else:
        drawn = [cameras[seeded_order(cameras, f"{seed} {name}")[0]]]
    queries = np.sort(np.concatenate(drawn))
    return Search(queries, np.setdiff1d(rows, queries))


def across_tracks(sightings: Sightings, pid: int, per_camera: int, seed: int) -> Search:
    """Choose queries of an identity with several tracks, whose own tracks leave the gallery.

    Args:
        sightings: all images.
        pid: the identity.
        per_camera: queries of a camera, at most, each of another track.
        seed: another number draws others.
    """
    rows, name = sightings.rows_of[pid], sightings.name(pid)
    cameras = sightings.camids[rows]
    # Numbered by time, so that a choice depends neither on others' tracks nor on the table's order.
    known, first, tracks = np.unique(sightings.tracks[rows], return_index=True, return_inverse=True)
    tracks = np.argsort(np.argsort(first))[tracks.reshape(-1)]
    asking: list[int] = []
    for camid in np.unique(cameras).tolist():
        own = np.unique(tracks[cameras == camid]).tolist()
        asking += seeded_order(own, f"{seed} {name} {camid}")[:per_camera]
    # One track at least is left to be found.
    asking = seeded_order(asking, f"{seed} {name}")[: len(known) - 1]
    drawn = [_drawn(rows[tracks == track], 1, f"{seed} {name} {track}") for track in asking]
    gallery = rows[~np.isin(tracks, np.array(asking, dtype=np.int64))]
    return Search(np.sort(np.concatenate(drawn)), np.sort(gallery))


def within_a_track(sightings: Sightings, pid: int) -> Search:
    """Search for the first image of an identity's only track in its later half."""
    rows = sightings.rows_of[pid]
    return Search(rows[:1], rows[max(1, len(rows) // 2) :])


def _drawn(rows: Int64Array, count: int, seed: str) -> Int64Array:
    chosen = seeded_order(range(len(rows)), seed)[:count]
    return rows[np.array(chosen, dtype=np.int64)]
