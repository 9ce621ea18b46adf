"""Where the frames of a sequence usually are: folders of images, and videos."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from reid_plugins_tracks.seqinfo import image_folder
from reid_plugins_tracks.videos import VIDEO_ENDINGS, is_video
from reidcore.data import is_image, is_side_file

__all__ = ["first_with_frames", "named_places", "usual_places"]


def usual_places(folder: Path, name: str, is_alone: bool = True) -> list[Path]:
    """Return where the frames of a sequence may be, the likeliest first.

    Args:
        folder: of its annotations.
        name: of the sequence.
        is_alone: whether the folder is of this sequence alone, so that frames without its name are
            its own too.
    """
    own = [image_folder(folder), folder / "images", folder / "frames"] if is_alone else []
    return [*own, *named_places(folder, name), *_videos(folder.parent, name)]


def named_places(folder: Path, name: str) -> list[Path]:
    """Return where a folder may have the frames of a sequence under its name."""
    return [image_folder(folder / name), folder / name, *_videos(folder, name)]


def first_with_frames(places: Iterable[Path]) -> Path | None:
    """Return the first place that is a video or a folder with images; None if none is."""
    return next((place for place in places if is_video(place) or _has_images(place)), None)


def _videos(folder: Path, name: str) -> list[Path]:
    return [folder / f"{name}{ending}" for ending in VIDEO_ENDINGS]


def _has_images(folder: Path) -> bool:
    if not folder.is_dir():
        return False
    with os.scandir(folder) as entries:
        return any(is_image(each.name) and not is_side_file(each.name) for each in entries)
