"""Where the frames of a sequence that is annotated are: a folder of images, or a video."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from reid_plugins_tracks.frames import below
from reid_plugins_tracks.places import first_with_frames, named_places
from reid_plugins_tracks.videos import VIDEO_ENDINGS, is_video

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
        looked_at = [*named_places(folder, sequence), *([] if has_others else [folder])]
    if (found := first_with_frames(looked_at)) is not None:
        return found
    there = [place for place in looked_at if place.suffix not in VIDEO_ENDINGS] or looked_at
    listed = ", ".join(repr(str(place)) for place in there)
    raise DataError(
        f"the frames of {sequence!r} are not found; looked for images in {listed}, and for videos "
        "beside",
        "Say where they are: frames=FOLDER or frames=VIDEO",
    )


def claim(place: Path, annotations: str, claimed: dict[Path, str]) -> None:
    """Note whose frames a place has, which was looked for and not named.

    Args:
        place: a folder of images, or a video.
        annotations: what is cut from them: a file, or a video that one lists.
        claimed: place -> whose frames it has, so far.

    Raises:
        DataError: others are cut from the same frames, which are of one of them at most.
    """
    other = claimed.setdefault(place.resolve(), annotations)
    if other != annotations:
        raise DataError(
            f"{other!r} and {annotations!r} would both be cut from {str(place)!r}",
            "Give each frames of its own: frames=FOLDER with a folder or video of each one's "
            "name; or import them one by one",
        )


def only_video(folder: Path) -> list[Path]:
    """Return the video of a folder; none where it has several."""
    videos = [path for path in folder.iterdir() if is_video(path)]
    return videos if len(videos) == 1 else []


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
