"""What an importer is, and what it gives: crops, each with whom it shows and where it lies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from reid_plugins_tracks.videos import VideoFrame

Box = tuple[float, float, float, float]
"""Left, top, width and height in pixels; the left upper corner of a frame is (0, 0)."""


@dataclass(frozen=True, slots=True)
class Crop:
    """A picture of somebody or something: a file as it is, or a box in a frame.

    Attributes:
        picture: an image file, or a frame of a video.
        pid: who or what it shows, the same wherever it is seen; empty where only the track is
            known.
        camid: the camera; empty where nothing but the sequence says it, or nothing at all.
        box: the box in the picture; None for the whole picture, whose file is then kept as it is.
        category: its class, such as ``car``.
        sequence: the sequence of frames that it comes from.
        frame: number of the frame in its sequence, as the source counts.
        track: number or name of the track in its sequence.
        visibility: the share that is not hidden, 0 to 1; None where nobody knows.
        split: ``train``, ``query`` or ``gallery``, where the source says it.
        further: more columns.
    """

    picture: Path | VideoFrame
    pid: str = ""
    camid: str = ""
    box: Box | None = None
    category: str = ""
    sequence: str = ""
    frame: int | None = None
    track: str = ""
    visibility: float | None = None
    split: str = ""
    further: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        if isinstance(self.picture, VideoFrame):
            number = self.picture.position if self.frame is None else self.frame
            place = f"{self.picture.video}, frame {number}"
        else:
            place = str(self.picture)
        return f"{place}, track {self.track}" if self.track else place


class Recognised(NamedTuple):
    """Why an importer takes a source for its own.

    Attributes:
        reason: what it saw, as in ``it has gt/gt.txt``.
        is_sure: whether nothing else looks so; an importer that is not sure stands back.
    """

    reason: str
    is_sure: bool = False


class Importer(Protocol):
    """What ``registry.add`` of ``reid_register_importers`` takes, or makes: a format's reader."""

    def recognise(self, source: Path) -> Recognised | None:
        """Return why a source is of this format, by a quick look; None if it is not."""

    def crops(self, source: Path) -> Iterable[Crop]:
        """Return, or yield, the crops of a source.

        Raises:
            DataError: it cannot be read.
        """
