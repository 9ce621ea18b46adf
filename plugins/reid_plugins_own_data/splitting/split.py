"""One word for each image of a table: train, val_query, val_gallery, query, gallery or unused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from reid_plugins_own_data.splitting.identities import (
    PARTS,
    Drawn,
    Shares,
    draw_identities,
    joined,
    wanted,
)
from reid_plugins_own_data.splitting.searches import (
    Reach,
    Search,
    across_cameras,
    across_tracks,
    reach_of,
    within_a_track,
)
from reid_plugins_own_data.splitting.sightings import Sightings
from reidcore.data import JUNK_PID
from reidcore.errors import DataError

__all__ = [
    "ACROSS",
    "ANYWHERE",
    "WORDS",
    "Options",
    "Split",
    "class_counts",
    "part_counts",
    "split_sightings",
]

ACROSS, ANYWHERE = "market1501", "any_camera"
WORDS = ("train", "val_query", "val_gallery", "query", "gallery", "unused")
_SIDES = {"validation": ("val_query", "val_gallery"), "test": ("query", "gallery")}


@dataclass(frozen=True)
class Options:
    """How a table is split.

    Args:
        shares: of the identities.
        per_camera: queries of an identity by a camera, at most.
        protocol: `ACROSS`, `ANYWHERE`, or empty for the one that fits.
        seed: another number draws others.
    """

    shares: Shares = field(default_factory=Shares)
    per_camera: int = 1
    protocol: str = ""
    seed: int = 0


@dataclass(frozen=True)
class Split:
    """What becomes of each image, and what it was decided by.

    Attributes:
        words: (N,) one of `WORDS` for each image.
        protocol: what the test should be evaluated by.
        reaches: name of an identity -> how far apart two of its images can be.
        drawn: the identities of each part.
        wished: how many were asked for, for validation and for the test.
    """

    words: list[str]
    protocol: str
    reaches: Mapping[str, Reach]
    drawn: Drawn
    wished: tuple[int, int]


def split_sightings(sightings: Sightings, options: Options) -> Split:
    """Split images into parts that share no identity, each query with a match.

    The same images give the same split in any order, on any machine.

    Args:
        sightings: the images.
        options: how.

    Raises:
        DataError: there are no identities, or none can be searched for.
    """
    pids = {sightings.name(pid): pid for pid in sightings.rows_of}
    if not pids:
        raise DataError(f"the table has no rows but of identity {JUNK_PID}", "Number its people")
    reaches = {name: reach_of(sightings, pid) for name, pid in pids.items()}
    wished = wanted(len(reaches), options.shares)
    protocol = options.protocol or _fitting_protocol(reaches, sum(wished))
    usual = Reach.CAMERAS if protocol == ACROSS else Reach.TRACKS
    classes: dict[str, dict[str, Reach]] = {}
    for name, pid in pids.items():
        classes.setdefault(sightings.class_of(pid), {})[name] = reaches[name]
    drawn = joined(
        [
            draw_identities(own, options.shares, usual, f"{options.seed} {called}")
            for called, own in sorted(classes.items())
        ]
    )
    if not drawn.test:
        raise _nobody_to_search_for(reaches, protocol)
    words = np.full(len(sightings), "unused", dtype="<U11")
    for name in drawn.train:
        words[sightings.rows_of[pids[name]]] = "train"
    for part, (query, gallery) in _SIDES.items():
        for name in drawn.of(part):
            search = _search(sightings, pids[name], protocol, options)
            words[search.queries], words[search.gallery] = query, gallery
    return Split(words.tolist(), protocol, reaches, drawn, wished)


def _fitting_protocol(reaches: Mapping[str, Reach], asked: int) -> str:
    """Return the protocol that enough identities can be searched for under.

    Across cameras is the harder question and the usual one: it fits where half of the identities
    that are asked for, or more, are seen by two cameras.
    """
    across = sum(reach is Reach.CAMERAS for reach in reaches.values())
    return ACROSS if across and 2 * across >= asked else ANYWHERE


def _search(sightings: Sightings, pid: int, protocol: str, options: Options) -> Search:
    if protocol == ACROSS:
        return across_cameras(sightings, pid, options.per_camera, options.seed)
    if reach_of(sightings, pid) is Reach.TRACK:
        return within_a_track(sightings, pid)
    return across_tracks(sightings, pid, options.per_camera, options.seed)


def _nobody_to_search_for(reaches: Mapping[str, Reach], protocol: str) -> DataError:
    if protocol == ACROSS and any(reach < Reach.NONE for reach in reaches.values()):
        return DataError(
            "no identity is seen by two cameras, and the protocol market1501 ignores the query's "
            "own camera",
            "--protocol any_camera searches for queries in all images",
        )
    return DataError(
        "no identity can be searched for: each has one image",
        "Give two or more images of an identity, by two cameras if cameras are known",
    )


def part_counts(sightings: Sightings, words_of_rows: Sequence[str]) -> dict[str, dict[str, int]]:
    """Return word -> how many ``ids``, ``images`` and ``cameras``, of the words that there are."""
    words, counts = np.array(words_of_rows), {}
    for word in WORDS:
        mask = words == word
        if mask.any():
            counts[word] = {
                "ids": len(set(sightings.pids[mask].tolist()) - {JUNK_PID}),
                "images": int(mask.sum()),
                "cameras": len(np.unique(sightings.camids[mask])),
            }
    return counts


def class_counts(sightings: Sightings, split: Split) -> dict[str, dict[str, int]]:
    """Return class -> part -> number of identities; nothing where no classes are known."""
    if len(sightings.class_names) < 2:
        return {}
    names = {sightings.name(pid): sightings.class_of(pid) for pid in sightings.rows_of}
    counts = {each: dict.fromkeys(PARTS, 0) for each in sightings.class_names}
    for part in PARTS:
        for name in split.drawn.of(part):
            counts[names[name]][part] += 1
    return counts
