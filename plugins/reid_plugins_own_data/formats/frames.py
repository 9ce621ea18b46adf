"""Where the frames of a sequence that is annotated are: a folder of images, or a video."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from reid_plugins_tracks.frames import below
from reid_plugins_tracks.videos import VIDEO_ENDINGS, is_video

from reidcore.data import is_image, is_side_file
from reidcore.errors import DataError

_SOUGHT = 100


def find_frames(
    given: str, sequence: str, places: Iterable[Path], has_others: bool = False
) -> Path:
    """Return the folder of images, or the video, with the frames of a sequence.

    Args:
        given: what the user says: the frames, or a folder that has them in a folder or video of the
            sequence's name; empty to look in the usual places.
        sequence: name of the sequence.
        places: where they usually are: folders, and videos.
        has_others: whether there are other sequences, so that what is given is not this one's.

    Raises:
        DataError: they are not there.
    """
    looked_at = list(places)
    if given:
        folder = Path(given).expanduser()
        looked_at = [*_of_sequence(folder, sequence), *([] if has_others else [folder])]
    for place in looked_at:
        if is_video(place) or (place.is_dir() and _has_images(place)):
            return place
    there = [place for place in looked_at if place.suffix not in VIDEO_ENDINGS] or looked_at
    listed = ", ".join(repr(str(place)) for place in there)
    raise DataError(
        f"the frames of {sequence!r} are not found; looked for images in {listed}, and for videos "
        "beside",
        "Say where they are: frames=FOLDER or frames=VIDEO",
    )


def videos_in(folder: Path) -> list[Path]:
    """Return the videos of a folder, sorted; none where it is not there."""
    with suppress(OSError):
        return sorted(path for path in folder.iterdir() if is_video(path))
    return []


def folder_of(names: Iterable[str], places: Iterable[Path], annotations: Path) -> Path | None:
    """Return the first of some folders that has one of the first hundred files; None if none has.

    Args:
        names: of image files, as annotations say them.
        places: the folders.
        annotations: the file with the names, for messages.

    Raises:
        DataError: a name leads out of its folder.
    """
    sought = list(islice(names, _SOUGHT))
    for folder in places:
        if any(below(folder, name, annotations).is_file() for name in sought):
            return folder
    return None


def _of_sequence(given: Path, sequence: str) -> Iterator[Path]:
    yield given / sequence / "img1"
    yield given / sequence
    yield from (given / f"{sequence}{ending}" for ending in VIDEO_ENDINGS)


def _has_images(folder: Path) -> bool:
    with os.scandir(folder) as entries:
        return any(is_image(each.name) and not is_side_file(each.name) for each in entries)
