"""The rules of the benchmarks, a file each, results by camera, and what a ROC curve needs."""

from __future__ import annotations

from reid_plugins_standard.protocols.cameras import CameraFigures, CameraResults, camera_results
from reid_plugins_standard.protocols.pair_counts import PairCounts, count_pairs

__all__ = ["CameraFigures", "CameraResults", "PairCounts", "camera_results", "count_pairs"]
