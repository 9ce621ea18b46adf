"""The pictures of annotated frames: images of a folder, or frames of a video or stream."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path

from reid_plugins_tracks.videos import VideoFrame, frame_count, is_stream
from reidcore.data import find_image_files, leave_out
from reidcore.errors import DataError

__all__ = ["Picture", "below", "frames_by_number"]

_log = logging.getLogger(f"reidcore.{__name__}")

_ENDLESS = range(1 << 62)


Picture = Path | VideoFrame
"""An image file, or a frame of a video."""


def frames_by_number(
    place: Path | str, numbers: Collection[int], base: int = 1, first: int | None = None
) -> Mapping[int, Picture]:
    """Return the pictures of annotated frames, of which some may not be there.

    Images are known by the last number in their names, or by their order where most have no such
    number of their own. How annotations count against them is found out: so that fewest frames lie
    before the first picture, then so that most are there, then as their format counts.

    Args:
        place: a folder of images, a video, or the address of a stream.
        numbers: of all frames that are annotated.
        base: the number of a first frame, as the format counts.
        first: the number of the first frame, where the user says it.

    Raises:
        DataError: if a folder has no images, or a video cannot be opened.
    """
    if is_stream(place) or not Path(place).is_dir():
        known = _ENDLESS if is_stream(place) else range(frame_count(Path(place)))
        shift = _shift(place, numbers, known, base, first)
        # What lies behind the end by the header may be there: whoever reads the frames will see.
        positions = {number: number + shift for number in numbers if number + shift >= 0}
        return {number: VideoFrame(place, position) for number, position in positions.items()}
    images = _numbered_images(Path(place))
    shift = _shift(place, numbers, images, base, first)
    return {number: images[number + shift] for number in numbers if number + shift in images}


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


def _numbered_images(folder: Path) -> dict[int, Path]:
    """Return the images of a folder by their numbers.

    A picture amid them that is no frame, as a thumbnail is, moves none of the others.
    """
    files = [folder / name for name in find_image_files(folder).files]
    if not files:
        raise DataError(f"{str(folder)!r} has no images", "Name the folder of the frames.")
    numbers = [int((re.findall(r"\d+", file.stem) or ["-1"])[-1]) for file in files]
    uses = Counter(numbers)
    own = {
        number: file
        for number, file in zip(numbers, files, strict=True)
        if number >= 0 and uses[number] == 1
    }
    if 2 * len(own) <= len(files):
        _log.info("%s: its images are counted by the order of their names", folder)
        return dict(enumerate(files, 1))
    others = sorted(file.name for file in {*files} - {*own.values()})
    leave_out(others, "images", "without a number of their own in their names", total=len(files))
    return own


def _shift(
    place: Path | str,
    numbers: Collection[int],
    known: Collection[int],
    base: int,
    first: int | None,
) -> int:
    """Return what is added to the number of an annotated frame to get that of its picture."""
    lowest = min(known) if isinstance(known, dict) else 0
    if first is not None:
        return lowest - first

    def misses(shift: int) -> tuple[int, int]:
        before = sum(number + shift < lowest for number in numbers)
        return before, sum(number + shift not in known for number in numbers)

    shift = min(dict.fromkeys((lowest - base, 0, lowest - 1 + base)), key=misses)
    if shift != lowest - base:
        _log.warning("%s: its first frame is number %d in the annotations", place, lowest - shift)
    return shift
