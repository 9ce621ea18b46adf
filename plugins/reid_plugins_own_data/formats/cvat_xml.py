"""CVAT's XML 1.1, read in pieces, as boxes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from xml.parsers import expat

from reid_plugins_own_data.crop import Box
from reidcore.errors import DataError

_SHAPES = ("polygon", "polyline", "points", "cuboid", "ellipse", "mask", "skeleton")
_CHUNK = 1 << 16
_HEAD = 4096


def is_cvat(file: Path) -> bool:
    """Say whether a file is CVAT's, by its beginning."""
    if file.suffix.lower() != ".xml":
        return False
    with file.open("rb") as opened:
        return b"<annotations" in opened.read(_HEAD)


class CvatBox(NamedTuple):
    """A box of a track in a frame, or of an image."""

    label: str
    box: Box
    frame: int
    track: str = ""
    image: str = ""
    occluded: str = ""
    attributes: Mapping[str, str] = {}

    @property
    def frame_name(self) -> str:
        """What its picture is known by."""
        return self.image or f"frame {self.frame}"

    def columns(self, identity: str) -> dict[str, str]:
        """Return the attributes that are columns: all but the one that says whom it shows."""
        told = {name: value for name, value in self.attributes.items() if name != identity}
        return {"occluded": self.occluded, **told}


class CvatReading:
    """One reading of a file, in pieces: a file may be large, and no tree of it is made.

    Attributes:
        video: name of the task's video, as far as the file was read; empty without one.
        left_out: why -> where shapes are that are no upright boxes.
    """

    def __init__(self, file: Path) -> None:
        self.video = ""
        self.left_out: dict[str, list[str]] = defaultdict(list)
        self._file = file
        self._task = ""
        self._above: list[str] = []
        self._track: Mapping[str, str] = {}
        self._image: Mapping[str, str] = {}
        self._box: Mapping[str, str] | None = None
        self._attributes: dict[str, str] = {}
        self._attribute, self._text = "", ""
        self._done: list[CvatBox] = []

    def boxes(self) -> Iterator[CvatBox]:
        """Yield the boxes.

        Raises:
            DataError: the file is damaged, not CVAT's, or declares a document type.
        """
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._add_text
        try:
            with self._file.open("rb") as opened:
                is_last = False
                while not is_last:
                    piece = opened.read(_CHUNK)
                    is_last = not piece
                    parser.Parse(piece, is_last)
                    yield from self._done
                    self._done.clear()
        except expat.ExpatError as error:
            raise DataError(
                f"{str(self._file)!r} is damaged ({error})", "Export it anew"
            ) from error
        except (KeyError, ValueError) as error:
            line = parser.CurrentLineNumber
            raise DataError(
                f"line {line} of {str(self._file)!r} is not as CVAT writes it ({error!r})",
                "Export it anew, as CVAT for video 1.1",
            ) from error

    def _refuse_doctype(self, *declared: object) -> None:
        raise DataError(
            f"{str(self._file)!r} declares a document type, which may hold anything",
            "CVAT writes none: export the task anew",
        )

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._text = ""
        if name == "track":
            self._track = attributes
            self._check_task(attributes.get("task_id", ""))
        elif name == "image":
            self._image = attributes
        elif name == "box":
            self._box, self._attributes = attributes, {}
        elif name == "attribute":
            self._attribute = attributes.get("name", "")
        elif name in _SHAPES:
            self.left_out[f"{name}, no boxes"].append(self._place(attributes))
        self._above.append(name)

    def _check_task(self, task: str) -> None:
        """Refuse tracks of several tasks, as in the file of a project: each counts its frames."""
        self._task = self._task or task
        if task != self._task:
            raise DataError(
                f"{str(self._file)!r} is of a project: it has tracks of the tasks {self._task} and "
                f"{task}, whose frames are numbered alike",
                "Export its tasks one by one, as CVAT for video 1.1, each to a folder of its own",
            )

    def _end(self, name: str) -> None:
        self._above.pop()
        if name == "attribute" and self._box is not None:
            self._attributes[self._attribute] = self._text.strip()
        elif name == "source" and "meta" in self._above:
            self.video = self.video or self._text.strip()
        elif name == "box" and self._box is not None:
            self._finish(self._box)
            self._box = None
        elif name == "track":
            self._track = {}
        elif name == "image":
            self._image = {}

    def _add_text(self, text: str) -> None:
        self._text += text

    def _finish(self, box: Mapping[str, str]) -> None:
        if box.get("outside") == "1":
            return
        if float(box.get("rotation", 0)):
            self.left_out["boxes that are turned"].append(self._place(box))
            return
        left, top, right, bottom = (float(box[side]) for side in ("xtl", "ytl", "xbr", "ybr"))
        image = self._image.get("name", "")
        self._done.append(
            CvatBox(
                self._track.get("label") or box.get("label", ""),
                (left, top, right - left, bottom - top),
                int(self._image["id"] if image else box["frame"]),
                self._track.get("id", ""),
                image,
                box.get("occluded", ""),
                self._attributes,
            )
        )

    def _place(self, shape: Mapping[str, str]) -> str:
        return f"{self._file}, {self._image.get('name') or 'frame ' + shape.get('frame', '?')}"
