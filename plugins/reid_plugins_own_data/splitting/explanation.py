"""Why a split is as it is, in sentences."""

from __future__ import annotations

import numpy as np

from reid_plugins_own_data.splitting.searches import Reach
from reid_plugins_own_data.splitting.sightings import Sightings
from reid_plugins_own_data.splitting.split import ACROSS, Split
from reidcore.data import first_names
from reidcore.errors import counted

_FEW = 20
"""Test identities below which an interval says little."""

FEWEST_TO_LEARN_FROM = 2
"""Training identities below which there is nobody to be told apart."""


def explain(sightings: Sightings, split: Split) -> list[str]:
    """Return a sentence for each decision."""
    sentences = [
        _protocol(split),
        _cannot_be_searched_for(split),
        _tracks(sightings, split),
        _unused(split),
        _classes(sightings),
        _fewer_than_wanted(split),
        _few(split),
        _nobody_to_learn_from(split),
    ]
    return [sentence for sentence in sentences if sentence]


def _names(split: Split, *reaches: Reach) -> list[str]:
    return [name for name, reach in split.reaches.items() if reach in reaches]


def _protocol(split: Split) -> str:
    across = len(_names(split, Reach.CAMERAS))
    everyone = counted(len(split.reaches), "identity", "identities")
    seen = "1 is" if across == 1 else f"{across:,} are"
    if split.protocol == ACROSS:
        return (
            f"protocol market1501: of {everyone} {seen} seen by two cameras or more; a query is "
            "searched for in the other cameras"
        )
    why = f"of {everyone} {seen if across else 'none is'} seen by two cameras or more"
    return f"protocol any_camera: {why}; a query is searched for in all cameras"


def _cannot_be_searched_for(split: Split) -> str:
    alone = _names(split, Reach.NONE)
    told = [f"{len(alone):,} with one image ({first_names(alone, len(alone))})"] if alone else []
    if split.protocol == ACROSS and (near := _names(split, Reach.TRACKS, Reach.TRACK)):
        told.append(f"{len(near):,} seen by one camera ({first_names(near, len(near))})")
    if not told:
        return ""
    return f"cannot be queries, and are learnt from: {'; '.join(told)}"


def _tracks(sightings: Sightings, split: Split) -> str:
    if not sightings.knows_tracks:
        return ""
    if split.protocol == ACROSS:
        return "tracks: a query's own track is of its own camera, which the protocol ignores"
    searched = [*split.drawn.test, *split.drawn.validation]
    one = [name for name in searched if split.reaches[name] is Reach.TRACK]
    told = "tracks: a query is searched for in other tracks of its identity, never in its own"
    if not one:
        return told
    lead = f"{told}; " if len(one) < len(searched) else "tracks: "
    return (
        f"{lead}{len(one):,} of {len(searched):,} searched identities have one track "
        f"({first_names(one, len(one))}): their first image is searched for in its later half"
    )


def _unused(split: Split) -> str:
    unused = split.words.count("unused")
    if not unused:
        return ""
    return f"images that are used for nothing: {unused:,}, near a query in its track or nobody's"


def _classes(sightings: Sightings) -> str:
    if len(sightings.class_names) < 2:
        return ""
    mixed = [
        sightings.name(pid)
        for pid, rows in sightings.rows_of.items()
        if len(np.unique(sightings.strata[rows])) > 1
    ]
    if not mixed:
        return ""
    return (
        f"of several classes, counted to that of the first image: {len(mixed):,} "
        f"({first_names(mixed, len(mixed))})"
    )


def _fewer_than_wanted(split: Split) -> str:
    found = (len(split.drawn.validation), len(split.drawn.test))
    if sum(found) >= sum(split.wished):
        return ""
    (validation, test), (for_validation, for_test) = split.wished, found
    return (
        f"asked for were {test:,} to test on and {validation:,} for validation, and fewer can be "
        f"searched for: taken are {for_test:,} and {for_validation:,}"
    )


def _few(split: Split) -> str:
    test = len(split.drawn.test)
    if test >= _FEW:
        return ""
    if test == 1:
        return "one test identity alone: any ranking of it is right, so that figures say nothing"
    return (
        f"few: {counted(test, 'test identity', 'test identities')}, so that figures are "
        "uncertain; their intervals say how much"
    )


def _nobody_to_learn_from(split: Split) -> str:
    count = len(split.drawn.train)
    if count >= FEWEST_TO_LEARN_FROM:
        return ""
    return (
        f"{counted(count, 'identity', 'identities')} to learn from, and a training needs "
        f"{FEWEST_TO_LEARN_FROM}: give more, or change --train-share and --val-share"
    )
