"""Small sites made by hand: who was seen where and when, and files of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from reid_plugins_link.boxes import Boxes
from reid_plugins_link.tracklets import Tracklets, gather

from tests.program import Program, run

Visit = tuple[str, int, int, int]
"""A camera, a track's number there, its first and its last frame."""


def boxes_of(rows: Sequence[tuple[float, ...]]) -> Boxes:
    """Make boxes of rows: frame, track, left, top, width, height, confidence, visibility."""
    table = np.array([(*row, 1.0, 1.0)[:8] for row in rows], dtype=np.float64).reshape(-1, 8)
    table = table[np.lexsort((table[:, 0], table[:, 1]))]
    whole = table[:, :2].astype(np.int64)
    return Boxes(whole[:, 0], whole[:, 1], table[:, 2:6], table[:, 6], table[:, 7])


@pytest.fixture
def site() -> Callable[..., Tracklets]:
    """Make tracklets of visits, at 1 frame a second and with clocks that begin at 0."""

    def site(*visits: Visit, starts: dict[str, float] | None = None) -> Tracklets:
        rows: dict[str, list[tuple[float, ...]]] = defaultdict(list)
        for camera, track, first, last in visits:
            rows[camera] += [
                (frame, track, 40 * track, 10, 20, 50) for frame in range(first, last + 1)
            ]
        cameras = sorted(rows)
        clocks = {name: (1.0, (starts or {}).get(name, 0.0)) for name in cameras}
        return gather(cameras, [boxes_of(rows[name]) for name in cameras], clocks)

    return site


@pytest.fixture
def mot() -> Callable[..., Path]:
    """Write rows of a track, and return the file."""

    def mot(path: Path, *rows: Sequence[object]) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(",".join(map(str, row)) + "\n" for row in rows))
        return path

    return mot


@pytest.fixture
def link() -> Program:
    """Run ``reidcore link`` in this process."""
    return partial(run, "link")
