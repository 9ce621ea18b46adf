"""The frames of a sequence that is annotated: a folder of images, or a video."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path

from reid_plugins_own_data.crop import VideoFrame
from reid_plugins_own_data.videos import VIDEOS, frame_count, is_video
from reidcore.data import find_image_files, is_image, is_side_file
from reidcore.errors import DataError

_log = logging.getLogger(f"reidcore.{__name__}")

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
    there = [place for place in looked_at if place.suffix not in VIDEOS] or looked_at
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


def frames_by_number(
    place: Path, numbers: Collection[int], base: int, first: int | None = None
) -> Mapping[int, Path | VideoFrame]:
    """Return the pictures of annotated frames, of which some may not be there.

    Images are known by the last number in their names, if it differs between all of them, else by
    their order. How annotations count against them is found out: so that fewest frames lie before
    the first picture, then so that most are there, then as their format counts.

    Args:
        place: a folder of images, or a video.
        numbers: of the frames that are annotated.
        base: the number of a first frame, as the format counts.
        first: the number of the first frame, where the user says it.
    """
    if is_video(place):
        shift = _shift(place, numbers, range(frame_count(place)), base, first)
        # What lies behind the end by the header may be there: whoever reads the frames will see.
        positions = {number: number + shift for number in numbers if number + shift >= 0}
        return {number: VideoFrame(place, position) for number, position in positions.items()}
    images = _numbered_images(place)
    shift = _shift(place, numbers, images, base, first)
    return {number: images[number + shift] for number in numbers if number + shift in images}


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


def below(folder: Path, name: str, annotations: Path) -> Path:
    """Return a file that annotations name below a folder.

    Raises:
        DataError: the name leads out of the folder.
    """
    parts = name.replace("\\", "/").split("/")
    if ".." in parts or Path(name).is_absolute() or ":" in parts[0]:
        raise DataError(
            f"{str(annotations)!r} names a file outside of its folder: {name!r}",
            "Names are taken below the folder of frames alone",
        )
    return folder.joinpath(*parts)


def _of_sequence(given: Path, sequence: str) -> Iterator[Path]:
    yield given / sequence / "img1"
    yield given / sequence
    yield from (given / f"{sequence}{ending}" for ending in VIDEOS)


def _has_images(folder: Path) -> bool:
    with os.scandir(folder) as entries:
        return any(is_image(each.name) and not is_side_file(each.name) for each in entries)


def _numbered_images(folder: Path) -> dict[int, Path | VideoFrame]:
    files = [folder / name for name in find_image_files(folder).files]
    numbers = [re.findall(r"\d+", file.stem)[-1:] for file in files]
    by_number = {int(found[0]): file for found, file in zip(numbers, files, strict=True) if found}
    return dict(by_number if len(by_number) == len(files) else enumerate(files))


def _shift(
    place: Path,
    numbers: Collection[int],
    known: Collection[int],
    base: int,
    first: int | None,
) -> int:
    """Return what is added to the number of an annotated frame to get that of its picture."""
    lowest = min(known, default=0)
    if first is not None:
        return lowest - first

    def misses(shift: int) -> tuple[int, int]:
        before = sum(number + shift < lowest for number in numbers)
        return before, sum(number + shift not in known for number in numbers)

    shift = min(dict.fromkeys((lowest - base, 0, lowest - 1 + base)), key=misses)
    if shift != lowest - base:
        _log.warning("%s: its first frame is number %d in the annotations", place, lowest - shift)
    return shift
