"""Figures by the cameras of query and gallery, where there are few enough to be looked at."""

from __future__ import annotations

import numpy as np
from reid_plugins_standard.protocols import camera_results

from reid_plugins_report.evidence.labels import as_texts
from reid_plugins_report.evidence.parts import Cameras
from reidcore.data import LabelNames
from reidcore.engine import TargetTest
from reidcore.evaluation import Labels

MOST_CAMERAS = 32  # on either side: 1024 cells


def cameras_of(tested: TargetTest, labels: Labels, ties: str) -> Cameras | None:
    """Return the figures of each pair of cameras.

    None where there is one pair or too many, or the protocol does not say what matches.
    """
    counts = [len(np.unique(side)) for side in (labels.q_camids, labels.g_camids)]
    if tested.matches is None or max(counts) > MOST_CAMERAS or max(counts) < 2:
        return None
    found = camera_results(
        tested.distances, labels, tested.protocol, ties=ties, result=tested.result.ranking
    )
    queries, galleries, means = found.matrix("mAP")
    asked, given = LabelNames.of(tested.query.table), LabelNames.of(tested.gallery.table)
    return Cameras(
        as_texts([asked.camid(camera) for camera in queries]),
        as_texts([given.camid(camera) for camera in galleries]),
        means,
        found.matrix("rank1")[2],
        found.matrix("num_valid")[2].astype(np.int64),
    )
