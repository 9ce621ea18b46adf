"""What similarities mean: probabilities, thresholds with intervals, and answers of three.

``reidcore calibrate`` measures it on pairs of images and keeps it in the checkpoint, from where it
goes with exports.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reidcore import hookimpl

if TYPE_CHECKING:
    from reid_plugins_calibration.calibration import Calibration
    from reid_plugins_calibration.stored import read_calibration, require_calibration
    from reid_plugins_calibration.thresholds import Threshold
    from reid_plugins_calibration.trackers import TrackerThreshold, tracker_thresholds
    from reidcore.inference import CheckpointMetadata

__all__ = [
    "Calibration",
    "Threshold",
    "TrackerThreshold",
    "read_calibration",
    "require_calibration",
    "tracker_thresholds",
]

_HOMES = {
    "Calibration": "calibration",
    "Threshold": "thresholds",
    "TrackerThreshold": "trackers",
    "read_calibration": "stored",
    "require_calibration": "stored",
    "tracker_thresholds": "trackers",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that loading the plugin is cheap."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


@hookimpl(optionalhook=True)
def reid_export_metadata(metadata: CheckpointMetadata) -> dict[str, Any] | None:
    """Let the calibration of a checkpoint go with its exports."""
    record = metadata.hooks.get("calibration")
    return {"calibration": dict(record)} if record else None
