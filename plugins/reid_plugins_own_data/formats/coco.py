"""COCO's JSON, whose annotations say their tracks."""

from __future__ import annotations

import json
import mmap
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from reid_plugins_tracks.frames import Picture, below, frames_by_number
from reid_plugins_tracks.places import usual_places

from reid_plugins_own_data.crop import Box, Crop, Recognised
from reid_plugins_own_data.formats.frames import claim, find_frames, folder_of
from reidcore.data import leave_out
from reidcore.errors import DataError

_TRACKS = ("track_id", "instance_id")
_NO_COLUMNS = {*_TRACKS, "keyframe", "rotation", "outside"}
_FOLDERS_OF_FRAMES = ("img1", "img", "images", "frames", "data")
"""Names of folders that say nothing of the camera: the folder above does."""

_FIRST_FRAME = 0
_MOST_BYTES = 1 << 31
_EXPECTED = ("of crowds", "outside of their frames")


class Coco:
    """Reads boxes with a ``track_id`` or ``instance_id``, their own or among their attributes.

    The sequence is the video, where the file lists videos, or the file, where there are several
    (its folder, where they have one name). The camera is the folder of the image, or the sequence.

    Args:
        frames: folder that the names of images start from, or a video; by default they are sought
            beside the file, in ``images`` or ``data``, and one folder up.
        identity: attribute that says who is seen, the same in all files.
        first_frame: number of a video's first frame; found out by default.
    """

    def __init__(
        self, frames: str = "", identity: str = "", first_frame: int | None = None
    ) -> None:
        self._frames = frames
        self._identity = identity
        self._first_frame = first_frame

    def recognise(self, source: Path) -> Recognised | None:
        """Take a JSON file with images and annotations, or a folder with such files."""
        files = _files_of(source)
        if not files:
            return None
        return Recognised(f"{files[0].name} has images and annotations", is_sure=True)

    def crops(self, source: Path) -> Iterator[Crop]:
        """Yield the boxes of all files.

        Raises:
            DataError: a file is not COCO's, has no tracks, or its images are not found.
        """
        files = _files_of(source)
        if not files:
            raise DataError(
                f"no JSON with images and annotations in {str(source)!r}",
                "Name the file, or the folder that has it or a folder annotations",
            )
        known = self._with_tracks(files)
        sequences = _sequences_of([read.file for read, _ in known])
        for (read, boxes), sequence in zip(known, sequences, strict=True):
            yield from self._crops_of(read, boxes, sequence)

    def _with_tracks(self, files: Sequence[Path]) -> list[tuple[_Coco, list[_Annotation]]]:
        """Return the files that say tracks, and their boxes; those of other tasks are told.

        Tools write a file for each task that they know, some with the boxes of another.
        """
        known: list[tuple[_Coco, list[_Annotation]]] = []
        seen: set[tuple[Path, str, Box]] = set()
        repeated: list[Path] = []
        trackless: list[_Coco] = []
        for file in files:
            read = _read(file)
            boxes = list(self._boxes_of(read))
            own = {(file.parent, read.images[box.image].name, box.box) for box in boxes}
            if not boxes:
                trackless.append(read)
            elif own <= seen:
                repeated.append(file)
            else:
                seen |= own
                known.append((read._replace(annotations=()), boxes))
        if not known:
            raise self._without_tracks(max(trackless, key=lambda read: len(read.annotations)))
        wanted = self._identity or " or ".join(_TRACKS)
        leave_out([read.file for read in trackless], "files", f"no box says {wanted}")
        leave_out(repeated, "files", "their boxes are those of another", expected=True)
        return known

    def _crops_of(self, read: _Coco, boxes: Sequence[_Annotation], sequence: str) -> Iterator[Crop]:
        pictures = self._pictures(read, {box.image for box in boxes})
        lost = [read.images[image].name for image in dict.fromkeys(box.image for box in boxes)]
        lost = [name for name in lost if name not in {read.images[key].name for key in pictures}]
        leave_out(lost, "images", f"named by {read.file.name}, and not there")
        for box in boxes:
            image = read.images[box.image]
            if box.image in pictures:
                yield Crop(
                    pictures[box.image],
                    box.identity,
                    camid=image.folder,
                    box=box.box,
                    category=box.category,
                    sequence=image.video or sequence,
                    frame=image.frame,
                    track=box.track,
                    visibility=box.visibility,
                    further=box.attributes,
                )

    def _boxes_of(self, read: _Coco) -> Iterator[_Annotation]:
        unwanted: dict[str, list[str]] = defaultdict(list)
        for found in read.annotations:
            place = f"{read.file}, annotation {found.get('id', '?')}"
            annotation = _annotation(found, read, self._identity, place)
            if found.get("iscrowd"):
                unwanted["of crowds"].append(place)
            elif str(_attributes(found).get("outside")).lower() == "true":
                unwanted["outside of their frames"].append(place)
            elif annotation is None:
                unwanted["without a box"].append(place)
            elif not (annotation.identity or annotation.track):
                unwanted[f"without {self._identity or ' or '.join(_TRACKS)}"].append(place)
            else:
                yield annotation
        for reason, names in unwanted.items():
            leave_out(names, "annotations", reason, expected=reason in _EXPECTED)

    def _without_tracks(self, read: _Coco) -> DataError:
        attributes = sorted({name for found in read.annotations for name in _attributes(found)})
        listed = f"; there are {', '.join(attributes)}" if attributes else ""
        return DataError(
            f"no box of {str(read.file)!r} says {self._identity or ' or '.join(_TRACKS)}: nothing "
            "tells which boxes show the same",
            f"Export tracks, or name the attribute that says it: identity=NAME{listed}",
        )

    def _pictures(self, read: _Coco, wanted: set[object]) -> dict[object, Picture]:
        """Return the pictures of images, by their ids: files, or frames of videos."""
        images = {key: image for key, image in read.images.items() if key in wanted}
        names = [image.name for image in images.values()]
        home, up = read.file.parent, read.file.parent.parent
        places = [home, *(folder / name for folder in (home, up) for name in ("images", "data"))]
        places += [up, up / read.file.stem, *sorted((up / "images").glob("*/"))]
        given = Path(self._frames).expanduser()
        folder = folder_of(names, [given] if self._frames else places, read.file)
        if folder is not None:
            files = {key: below(folder, image.name, read.file) for key, image in images.items()}
            return {key: file for key, file in files.items() if file.is_file()}
        by_video: dict[str, dict[int, object]] = defaultdict(dict)
        for key, image in images.items():
            by_video[image.video][image.frame] = key
        found: dict[object, Picture] = {}
        claimed: dict[Path, str] = {}
        for video, keys in by_video.items():
            name = video or read.file.stem
            places = [home, *usual_places(home, Path(name).stem)]
            place = find_frames(self._frames, name, places, len(by_video) > 1)
            claim(place, name, claimed)
            frames = frames_by_number(place, keys.keys(), _FIRST_FRAME, self._first_frame)
            found |= {keys[number]: picture for number, picture in frames.items()}
        return found


class _Image(NamedTuple):
    """A picture that a file names."""

    name: str
    frame: int
    video: str

    @property
    def folder(self) -> str:
        """The folder that it lies in, which is a camera's; empty without one."""
        above = self.name.replace("\\", "/").split("/")[:-1]
        return next((name for name in reversed(above) if name not in _FOLDERS_OF_FRAMES), "")


class _Annotation(NamedTuple):
    """A box of an image."""

    image: object
    box: Box
    category: str
    identity: str
    track: str
    visibility: float | None
    attributes: Mapping[str, str]


class _Coco(NamedTuple):
    """What a file holds: pictures by their ids, names of classes, and annotations as they are."""

    file: Path
    images: Mapping[object, _Image]
    categories: Mapping[object, str]
    annotations: Sequence[Mapping[str, Any]]


def _files_of(source: Path) -> list[Path]:
    if source.is_file():
        return [source] if _is_coco(source) else []
    patterns = ("annotations/*.json", "*.json", "*/annotations/*.json", "*/*.json")
    found = ([file for file in sorted(source.glob(each)) if _is_coco(file)] for each in patterns)
    return next(filter(None, found), [])


def _sequences_of(files: Sequence[Path]) -> list[str]:
    """Return a name for each file: none for one alone, its own, or its folder's."""
    if len(files) == 1:
        return [""]
    own = [file.stem for file in files]
    folders = [file.parent for file in files]
    folders = [each.parent if each.name == "annotations" else each for each in folders]
    of_folders = [folder.name for folder in folders]
    both = [f"{folder}-{name}" for folder, name in zip(of_folders, own, strict=True)]
    return next((each for each in (own, of_folders) if len({*each}) == len(files)), both)


def _is_coco(file: Path) -> bool:
    """Say whether a file has the keys of COCO's, by its bytes: it may be large."""
    if file.suffix.lower() != ".json" or not file.stat().st_size:
        return False
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as text:
        return text.find(b'"annotations"') >= 0 and text.find(b'"images"') >= 0


def _read(file: Path) -> _Coco:
    if file.stat().st_size > _MOST_BYTES:
        raise DataError(f"{str(file)!r} has more than 2 GiB", "Export sequences one by one")
    try:
        read = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise DataError(f"{str(file)!r} is no JSON ({error})", "Export it anew") from error
    try:
        videos = {each["id"]: _name_of_video(each) for each in read.get("videos") or ()}
        categories = {each["id"]: str(each["name"]) for each in read.get("categories") or ()}
        images = {
            each["id"]: _image(each, place, videos) for place, each in enumerate(read["images"])
        }
        annotations = list(read["annotations"])
        for each in annotations:
            hash((each.get("image_id"), each.get("category_id")))  # which a list or object is not
        return _Coco(file, images, categories, annotations)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{str(file)!r} is not as COCO's files are: {error!r}",
            "It needs images (id, file_name), annotations (image_id, bbox) and categories (id, "
            "name)",
        ) from error


def _name_of_video(found: Mapping[str, Any]) -> str:
    """Return what a video is called: files made for detectors that track say ``file_name``."""
    return str(found["name"] if "name" in found else found["file_name"])


def _image(found: Mapping[str, Any], place: int, videos: Mapping[object, str]) -> _Image:
    name = str(found["file_name"])
    numbers = re.findall(r"\d+", Path(name).stem)
    told = found.get("frame_id", found.get("frame_index"))
    frame = int(told) if told is not None else int(numbers[-1]) if numbers else place
    return _Image(name, frame, videos.get(found.get("video_id"), ""))


def _annotation(
    found: Mapping[str, Any], read: _Coco, identity: str, place: str
) -> _Annotation | None:
    """Return what an annotation says; None where it has no box.

    Raises:
        DataError: it is of no image of the file, or its box is none.
    """
    image, attributes = found.get("image_id"), _attributes(found)
    if image not in read.images:
        raise DataError(f"{place}: no image has the id {image!r}", "Export the file anew")
    if not found.get("bbox"):
        return None
    try:
        left, top, width, height = map(float, found["bbox"])
    except (TypeError, ValueError) as error:
        raise DataError(f"{place}: {found['bbox']!r} is no box", "Export it anew") from error
    said = {**found, **attributes}
    track = next((str(said[key]) for key in _TRACKS if said.get(key) is not None), "")
    shown = said.get("visibility")
    visibility = float(shown) if isinstance(shown, int | float) else None
    no_columns = {*_NO_COLUMNS, identity, "visibility" if visibility is not None else ""}
    return _Annotation(
        image,
        (left, top, width, height),
        read.categories.get(found.get("category_id"), ""),
        str(said.get(identity) or "") if identity else "",
        track,
        visibility,
        {name: str(value) for name, value in attributes.items() if name not in no_columns},
    )


def _attributes(found: Mapping[str, Any]) -> Mapping[str, Any]:
    attributes = found.get("attributes")
    return attributes if isinstance(attributes, Mapping) else {}
