"""The rules of the benchmarks, a file each, and results by camera."""

from __future__ import annotations

from reid_plugins_standard.protocols.cameras import CameraFigures, CameraResults, camera_results

__all__ = ["CameraFigures", "CameraResults", "camera_results"]
