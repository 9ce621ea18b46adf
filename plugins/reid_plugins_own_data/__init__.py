"""Own data without code: sources of many kinds become a dataset of crops, ``labels.csv``.

`crop` says what an importer gives; `formats` has the bundled importers, which come through a hook
that this package publishes, ``reid_register_importers``; `importing` chooses among them, selects
and cuts crops, and writes the dataset.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reid_plugins_tracks.videos import VideoFrame

from reid_plugins_own_data.crop import Crop, Importer, Recognised
from reidcore import hookimpl

if TYPE_CHECKING:
    from reidcore.plugins import HookPublisher
    from reidcore.registry import Registrar

__all__ = ["Crop", "Importer", "Recognised", "VideoFrame"]


@hookimpl
def reid_add_hookspecs(plugins: HookPublisher) -> None:
    """Publish ``reid_register_importers``."""
    from reid_plugins_own_data import hookspecs

    plugins.add_hookspecs(hookspecs)


@hookimpl
def reid_register_importers(registry: Registrar) -> None:
    """Register the importers of the formats that own data comes in."""
    for name, (target, summary) in _FORMATS.items():
        registry.add(name, f"{__name__}.formats.{target}", summary=summary)


# Name -> module and class below ``formats``, and what it reads.
_FORMATS = {
    "folders": ("folders:Folders", "folders of identities or cameras, or names by a pattern"),
    "coco": ("coco:Coco", "COCO's JSON with track ids"),
    "cvat": ("cvat:Cvat", "CVAT's XML of tracks in a video, or of images"),
    "mot": ("mot:Mot", "ground truth or tracks of MOTChallenge, with frames or video"),
}
