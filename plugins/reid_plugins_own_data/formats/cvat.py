"""CVAT's XML 1.1: tracks of a video, or images whose boxes have an attribute for the identity."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from reid_plugins_tracks.frames import Picture, below, frames_by_number
from reid_plugins_tracks.places import usual_places

from reid_plugins_own_data.crop import Crop, Recognised
from reid_plugins_own_data.formats.cvat_xml import CvatBox, CvatReading, is_cvat
from reid_plugins_own_data.formats.frames import claim, find_frames, folder_of, only_video
from reidcore.data import leave_out
from reidcore.errors import DataError

_USUAL_NAME = "annotations"
_IDENTITIES = ("track_id", "identity", "pid", "id")
_FIRST_FRAME = 0


class Cvat:
    """Reads ``CVAT for video 1.1``, and ``CVAT for images 1.1`` whose boxes say the identity.

    Boxes are taken as they are written, those between key frames too; where an object is outside
    there are none. The sequence, and camera, is the file, or its folder if the file has CVAT's
    usual name, ``annotations.xml``.

    Args:
        frames: folder of images or video; a folder of those, named as the sequences, for several.
            By default they are sought beside the file: ``images``, or the video of the task.
        identity: attribute that says who is seen, the same in all files; of boxes of images by
            default ``track_id``, ``identity``, ``pid`` or ``id``.
        first_frame: the number of the first frame; found out by default.
    """

    def __init__(
        self, frames: str = "", identity: str = "", first_frame: int | None = None
    ) -> None:
        self._frames = frames
        self._identity = identity
        self._first_frame = first_frame

    def recognise(self, source: Path) -> Recognised | None:
        """Take a file of CVAT's, or a folder with such files."""
        files = _files_of(source)
        return Recognised(f"{files[0].name} is CVAT's", is_sure=True) if files else None

    def crops(self, source: Path) -> Iterator[Crop]:
        """Yield the boxes of all files.

        Raises:
            DataError: a file is not CVAT's, no box says whom it shows, or frames are not found.
        """
        files = _files_of(source)
        if not files:
            raise DataError(
                f"no XML file of CVAT's in {str(source)!r}",
                "Export the task as CVAT for video 1.1, and name the file or its folder",
            )
        claimed: dict[Path, str] = {}
        for file in files:
            yield from self._crops_of(file, len(files) > 1, claimed)

    def _crops_of(self, file: Path, has_others: bool, claimed: dict[Path, str]) -> Iterator[Crop]:
        reading = CvatReading(file)
        boxes = list(self._known(reading, file))
        sequence = _sequence_of(file)
        pictures = self._images_of(boxes, file)
        if not pictures:
            places = _places(file, reading.video)
            place = find_frames(self._frames, sequence, places, has_others)
            if place.name != Path(reading.video).name:  # parts of one video are told to be so
                claim(place, str(file), claimed)
            pictures = self._frames_of(boxes, place)
        lost = [box.frame_name for box in boxes if box.frame_name not in pictures]
        leave_out([*dict.fromkeys(lost)], "frames", f"named by {file.name}, and not there")
        for box in boxes:
            if box.frame_name in pictures:
                folder = Path(box.image).parent.name
                yield Crop(
                    pictures[box.frame_name],
                    self._identity_of(box),
                    camid=folder,
                    box=box.box,
                    category=box.label,
                    sequence=sequence,
                    frame=box.frame,
                    track=box.track,
                    further=box.columns(self._identity_attribute(box)),
                )

    def _known(self, reading: CvatReading, file: Path) -> Iterator[CvatBox]:
        """Yield the boxes that say whom they show."""
        unknown: list[str] = []
        attributes: set[str] = set()
        count = 0
        for box in reading.boxes():
            count += 1
            attributes.update(box.attributes)
            if self._identity_of(box) or (box.track and not self._identity):
                yield box
            else:
                unknown.append(f"{file}, {box.frame_name}")
        wanted = self._identity or " or ".join(_IDENTITIES)
        if count == len(unknown):
            listed = f"; there are {', '.join(sorted(attributes))}" if attributes else ""
            raise DataError(
                f"no box of {str(file)!r} is of a track, or has an attribute {wanted}",
                "Export the task as CVAT for video 1.1, or name the attribute that says whom boxes "
                f"show: identity=NAME{listed}",
            )
        leave_out(unknown, "boxes", f"without {wanted}")
        for reason, places in reading.left_out.items():
            leave_out(places, "shapes", reason)

    def _identity_attribute(self, box: CvatBox) -> str:
        if self._identity or box.track:
            return self._identity
        return next((name for name in _IDENTITIES if box.attributes.get(name)), "")

    def _identity_of(self, box: CvatBox) -> str:
        return box.attributes.get(self._identity_attribute(box), "")

    def _images_of(self, boxes: list[CvatBox], file: Path) -> dict[str, Picture]:
        """Return name of an image -> its file; nothing where boxes are of frames."""
        named = {box.image for box in boxes if box.image}
        home, given = file.parent, Path(self._frames).expanduser()
        places = [given] if self._frames else [home / "images", home, home.parent / "images"]
        folder = folder_of(sorted(named), places, file)
        if named and folder is None:
            raise DataError(
                f"no image that {str(file)!r} names is in "
                f"{', '.join(repr(str(place)) for place in places)}",
                "Say where they are: frames=FOLDER",
            )
        files = {name: below(folder, name, file) for name in named} if folder else {}
        return {name: path for name, path in files.items() if path.is_file()}

    def _frames_of(self, boxes: list[CvatBox], place: Path) -> dict[str, Picture]:
        """Return name of a frame -> its picture."""
        numbers = {box.frame for box in boxes}
        found = frames_by_number(place, numbers, _FIRST_FRAME, self._first_frame)
        return {f"frame {number}": picture for number, picture in found.items()}


def _places(file: Path, video: str) -> list[Path]:
    """Return where the frames of a task may be, given the name of its video."""
    home, sequence = file.parent, _sequence_of(file)
    return [
        *([home / Path(video).name] if video else []),
        *usual_places(home, sequence),
        *only_video(home),
    ]


def _files_of(source: Path) -> list[Path]:
    if source.is_file():
        return [source] if is_cvat(source) else []
    found = (sorted(source.glob(pattern)) for pattern in ("*.xml", f"*/{_USUAL_NAME}.xml"))
    return next(filter(None, ([file for file in some if is_cvat(file)] for some in found)), [])


def _sequence_of(file: Path) -> str:
    return file.absolute().parent.name if file.stem == _USUAL_NAME else file.stem
