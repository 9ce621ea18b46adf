"""How well queries of each camera find their matches by each other camera, as a table."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from reid_plugins_runs.sheet import Column, Sheet

if TYPE_CHECKING:
    from reid_plugins_standard.protocols import CameraResults


def camera_sheet(results: CameraResults) -> Sheet:
    """Return a row for each query camera: mAP in all of the gallery, and by each gallery camera.

    A dash is where no query has a match.
    """
    queries, galleries, shares = results.matrix("mAP")
    rows = [
        [str(camera), _percent(results.cameras[camera].mAP), *map(_percent, row.tolist())]
        for camera, row in zip(queries, shares, strict=True)
    ]
    numbers = [Column(name, is_number=True) for name in ("all", *map(str, galleries))]
    return Sheet([Column("query camera"), *numbers], rows, "mAP by gallery camera (%)")


def _percent(share: float) -> str:
    return "-" if math.isnan(share) else f"{100 * share:.1f}"
