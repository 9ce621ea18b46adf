"""IDF1 of linked cameras, against motmetrics on the cameras one after the other."""

from __future__ import annotations

import numpy as np
import pytest
from reid_plugins_link.boxes import Boxes
from reid_plugins_link.scores import score
from reid_plugins_link.tracklets import gather

CAMERAS = ("a", "b", "c")
FRAMES = 60


@pytest.fixture(scope="module")
def motmetrics():
    return pytest.importorskip(
        "motmetrics",
        reason="motmetrics is not here: pip install motmetrics==1.4.0",
        exc_type=ImportError,
    )


def drawn(seed: int) -> tuple[dict[str, Boxes], dict[str, Boxes], np.ndarray]:
    """Draw true boxes that walk about, tracks near most of them, and identities of the tracks."""
    draw = np.random.default_rng(seed)
    true, found = {}, {}
    for name in CAMERAS:
        rows, near = [], []
        for person in range(1, 6):
            left, begin = draw.uniform(0, 300), draw.integers(1, 20)
            track = 10 * person  # up to nine fragments of each
            for frame in range(begin, begin + draw.integers(5, FRAMES - 20)):
                left += draw.normal(0, 4)
                rows.append((frame, person, left, 50, 30, 80))
                track = min(track + (draw.random() < 0.05), 10 * person + 9)
                if draw.random() < 0.9:
                    near.append((frame, track, *(rows[-1][2:] + draw.normal(0, 5, 4))))
        true[name], found[name] = _boxes(rows), _boxes(near)
    return true, found, _identities(found, draw)


def _identities(found: dict[str, Boxes], draw: np.random.Generator) -> np.ndarray:
    """Join tracks by person, wrongly for some persons, and leave a third of them alone.

    No two tracks of one camera and time have one identity, as after linking.
    """
    tracklets = gather(CAMERAS, [found[name] for name in CAMERAS], dict.fromkeys(CAMERAS, (1.0, 0)))
    mixed = np.array(
        [draw.permutation(8) if draw.random() < 0.7 else np.arange(8) for _ in CAMERAS]
    )
    joined = mixed[tracklets.camera, tracklets.track // 10]
    alone = draw.random(len(tracklets)) < 0.3
    return np.where(alone, 100 + np.arange(len(tracklets)), joined)


def _boxes(rows) -> Boxes:
    table = np.array(sorted(rows, key=lambda row: (row[1], row[0])), dtype=np.float64)
    whole, ones = table[:, :2].astype(np.int64), np.ones(len(table))
    return Boxes(whole[:, 0], whole[:, 1], table[:, 2:], ones, ones)


def _distances(true: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Return 1 - IoU, NaN above a half; motmetrics' own function needs a NumPy before 2."""
    distances = np.full((len(true), len(found)), np.nan)
    for row, (x, y, w, h) in enumerate(true.tolist()):
        for column, (left, top, width, height) in enumerate(found.tolist()):
            across = max(0, min(x + w, left + width) - max(x, left))
            down = max(0, min(y + h, top + height) - max(y, top))
            overlap = across * down / (w * h + width * height - across * down)
            if overlap >= 0.5:
                distances[row, column] = 1 - overlap
    return distances


@pytest.mark.parametrize("seed", range(6))
def test_idf1_is_that_of_motmetrics(motmetrics, seed) -> None:
    true, found, identity = drawn(seed)
    tracklets = gather(CAMERAS, [found[name] for name in CAMERAS], dict.fromkeys(CAMERAS, (1.0, 0)))
    ours = score(tracklets, identity, true).found
    accumulator = motmetrics.MOTAccumulator()
    for number, name in enumerate(CAMERAS):
        boxes, labels = found[name], identity[tracklets.of_boxes(number)]
        for frame in range(1, 2 * FRAMES):
            a, b = true[name].frames == frame, boxes.frames == frame
            distances = _distances(true[name].places[a], boxes.places[b])
            accumulator.update(
                true[name].tracks[a], labels[b], distances, frameid=number * 1000 + frame
            )
    theirs = motmetrics.metrics.create().compute(accumulator, metrics=["idf1", "idp", "idr"])
    for figure in ("idf1", "idp", "idr"):
        assert getattr(ours, figure) == pytest.approx(float(theirs[figure].iloc[0]), abs=1e-9)
