"""What is written: tracks under their identities, who was where and when, and what is in doubt."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reid_plugins_link.boxes import write_boxes
from reid_plugins_link.doubts import Doubt, write_doubts
from reid_plugins_link.feature_files import write_features
from reid_plugins_link.features import Described
from reid_plugins_link.linking import Linked
from reid_plugins_link.threshold import Threshold
from reid_plugins_link.tracklets import Tracklets
from reidcore.utils import write_json

IDENTITIES, UNDECIDED, FEATURES, RECORD = (
    "identities.csv",
    "undecided.csv",
    "features.npz",
    "link.json",
)

_COLUMNS = ("identity", "camera", "track", "first_frame", "last_frame", "start", "end", "boxes")


def write_results(
    folder: Path,
    tracklets: Tracklets,
    linked: Linked,
    described: Described,
    doubts: Sequence[Doubt],
    threshold: Threshold,
    record: Mapping[str, Any],
) -> None:
    """Write everything but pictures into an empty folder.

    Args:
        folder: where to.
        tracklets: all tracks.
        linked: their identities.
        described: what was looked at of them.
        doubts: what a person should look at.
        threshold: what similarities mean.
        record: what was asked and found, for ``link.json``.
    """
    for number, name in enumerate(tracklets.cameras):
        with (folder / f"{name}.txt").open("wb") as file:
            identities = linked.identity[tracklets.of_boxes(number)]
            write_boxes(file, tracklets.boxes[number], identities)
    (folder / IDENTITIES).write_text(
        _identities(tracklets, linked, threshold), encoding="utf-8", newline=""
    )
    rows = described.best_rows(len(tracklets))
    with (folder / UNDECIDED).open("wb") as file:
        write_doubts(file, doubts, tracklets, rows, threshold)
    with (folder / FEATURES).open("wb") as file:
        write_features(file, described, tracklets)
    write_json(record, folder / RECORD)


def _identities(tracklets: Tracklets, linked: Linked, threshold: Threshold) -> str:
    """Return a row for each track, in the order of identities and times.

    The last two columns are its mean similarity to the others of its identity, and the probability
    that goes with it.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([*_COLUMNS, "similarity", "probability"])
    for place in np.argsort(linked.identity, kind="stable").tolist():
        boxes = tracklets.boxes[tracklets.camera[place]]
        first, last = int(tracklets.first[place]), int(tracklets.last[place])
        writer.writerow(
            [
                linked.identity[place],
                tracklets.cameras[tracklets.camera[place]],
                tracklets.track[place],
                boxes.frames[first],
                boxes.frames[last],
                f"{tracklets.start[place]:.3f}",
                f"{tracklets.end[place]:.3f}",
                last - first + 1,
                *_confidence(linked, place, threshold),
            ]
        )
    return text.getvalue()


def _confidence(linked: Linked, place: int, threshold: Threshold) -> tuple[str, str]:
    others = np.flatnonzero(linked.identity == linked.identity[place])
    others = others[others != place]
    if not len(others):
        return "", ""
    similarity = float(linked.similarity[place, others].mean())
    probability = threshold.probability(similarity)
    return f"{similarity:.4f}", "" if probability is None else f"{probability:.4f}"
