"""Features of tracks: cut from frames by a model, or read from files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from reid_plugins_tracks.frames import frames_by_number
from reid_plugins_tracks.pictures import Frame, read_frames

from reid_plugins_link.boxes import Boxes, Float64
from reid_plugins_link.crops import Crops
from reid_plugins_link.tracklets import Tracklets
from reidcore.data import Pixels, leave_out
from reidcore.errors import DataError
from reidcore.inference import cut_crops

if TYPE_CHECKING:
    from reidcore.inference import FeatureExtractor

Float32 = npt.NDArray[np.float32]
Advance = Callable[[int], None]

_OUTSIDE = "outside of the frame"
_SHARPNESS_SIZE = (64, 128)  # width and height at which crops of all sizes are compared


@dataclass(frozen=True, eq=False)
class Described:
    """What was looked at of the tracks, and what a model says of it.

    Attributes:
        crops: C crops.
        features: (C, D) of unit length.
    """

    crops: Crops
    features: Float32

    def means(self, count: int) -> Float32:
        """Return (T, D) for each of so many tracks the mean of its crops, weighted by quality.

        The mean is not of unit length: the product of two means is the mean similarity of the
        crops of one track and those of the other, on the scale on which similarities of images
        are calibrated. A track without crops has zeros.
        """
        sums = np.zeros((count, self.features.shape[1]))
        weights = np.zeros(count)
        quality = self.crops.quality
        np.add.at(sums, self.crops.tracklet, self.features * quality[:, None])
        np.add.at(weights, self.crops.tracklet, quality)
        return (sums / np.maximum(weights, 1e-12)[:, None]).astype(np.float32)

    def best_rows(self, count: int) -> list[int | None]:
        """Return for each track the row of its best crop; None of one without."""
        best: list[int | None] = [None] * count
        for place in np.argsort(self.crops.quality, kind="stable").tolist():
            best[self.crops.tracklet[place]] = int(self.crops.row[place])
        return best


def extract_features(
    tracklets: Tracklets,
    crops: Crops,
    frames: Mapping[str, Path],
    extractor: FeatureExtractor,
    advance: Advance = lambda count: None,
) -> Described:
    """Cut crops from the frames of all cameras and describe them.

    A camera's frames are read once, in their order, and only those that have a crop are kept, for
    as long as it takes.

    Args:
        tracklets: all tracks.
        crops: what is looked at.
        frames: camera -> folder of images, or video.
        extractor: the model.
        advance: called with how many more crops are done.

    Raises:
        DataError: if a camera has no frames, or none of its boxes lies in them.
    """
    require_frames(tracklets.cameras, frames, "Or give features: --features FILE.")
    cut = _Cutting(tracklets, crops, frames)
    found: list[Float32] = []
    for batch in extractor.extract(cut.crops()):
        found.append(batch.features.float().cpu().numpy())
        advance(len(batch.places))
    cut.tell_missing()
    kept = np.array(cut.kept, dtype=np.int64)
    quality = crops.quality[kept] * cut.relative_sharpness(crops.tracklet[kept])
    own = Crops(crops.tracklet[kept], crops.row[kept], quality)
    return Described(own, unit_length(np.concatenate(found)))


def require_frames(cameras: Sequence[str], frames: Mapping[str, Path], otherwise: str) -> None:
    """Refuse cameras without frames.

    Args:
        cameras: names of all.
        frames: camera -> folder of images, or video.
        otherwise: what can be done without frames.

    Raises:
        DataError: naming the first.
    """
    if missing := [name for name in cameras if name not in frames]:
        raise DataError(
            f"no frames of the camera {missing[0]!r} were found beside its tracks",
            f"Name a folder of images or a video, --frames {missing[0]}=PATH. {otherwise}",
        )


def read_crops(
    tracklets: Tracklets, rows: Mapping[int, int], frames: Mapping[str, Path]
) -> Iterator[tuple[int, Pixels]]:
    """Yield a crop of each track, (h, w, 3) RGB, where it lies in a frame that is there.

    Args:
        tracklets: all tracks.
        rows: track -> the row of a box of its camera.
        frames: camera -> folder of images, or video.
    """
    for number, name in enumerate(tracklets.cameras):
        own = [place for place in rows if tracklets.camera[place] == number]
        boxes = tracklets.boxes[number]
        by_frame = _grouped((int(boxes.frames[rows[place]]) for place in own), own)
        for frame, pixels, _ in _frames_of(boxes, frames[name], sorted(by_frame)) if own else ():
            for place in by_frame[frame] if pixels is not None else ():
                box = boxes.places[rows[place]][None]
                for crop in cut_crops(pixels, box, "ltwh", "rgb", on_bad=_pass_over):
                    yield place, crop


class _Cutting:
    """Cuts crops from frames, and remembers what came of each.

    Attributes:
        kept: the crops that were cut, in the order in which they were yielded.
    """

    def __init__(self, tracklets: Tracklets, crops: Crops, frames: Mapping[str, Path]) -> None:
        self.kept: list[int] = []
        self._inside: list[float] = []
        self._sharp: list[float] = []
        self._lost: dict[str, list[int]] = defaultdict(list)
        self._tracklets, self._crops, self._frames = tracklets, crops, frames

    def crops(self) -> Iterator[Pixels]:
        """Yield each crop that can be cut."""
        camera = self._tracklets.camera[self._crops.tracklet]
        for number, name in enumerate(self._tracklets.cameras):
            places = np.flatnonzero(camera == number)
            boxes = self._tracklets.boxes[number]
            rows = self._crops.row[places]
            by_frame = _grouped(boxes.frames[rows].tolist(), places.tolist())
            before = len(self.kept)
            for frame, pixels, reason in _frames_of(boxes, self._frames[name], list(by_frame)):
                if pixels is None:
                    self._lost[reason] += by_frame[frame]
                else:
                    yield from self._cut(pixels, by_frame[frame], boxes.places)
            if len(places) and len(self.kept) == before:
                raise DataError(
                    f"no box of the camera {name!r} lies in its frames {str(self._frames[name])!r}",
                    "Are they the frames that were tracked, in the size in which they were?",
                )

    def _cut(self, frame: Pixels, places: Sequence[int], boxes: Float64) -> Iterator[Pixels]:
        for place in places:
            box = boxes[self._crops.row[place]]
            cut = cut_crops(frame, box[None], "ltwh", "rgb", on_bad=_pass_over)
            if not cut:
                self._lost[_OUTSIDE].append(place)
            for crop in cut:
                self.kept.append(place)
                self._inside.append(min(1.0, crop.shape[0] * crop.shape[1] / (box[2] * box[3])))
                self._sharp.append(sharpness(crop))
                yield np.ascontiguousarray(crop)

    def relative_sharpness(self, tracklet: npt.NDArray[np.int64]) -> Float64:
        """Return (C,) for each crop how sharp and how whole it is beside those of its track."""
        sharp, inside = np.array(self._sharp), np.array(self._inside)
        sums, counts = np.zeros(tracklet.max() + 1), np.bincount(tracklet)
        np.add.at(sums, tracklet, sharp)
        usual = (sums / np.maximum(counts, 1))[tracklet]
        # Crops of one colour, sharp nowhere, are half as good as they can be, all alike.
        found: Float64 = inside * (sharp + 1) / (sharp + usual + 2)
        return found

    def tell_missing(self) -> None:
        """Tell of boxes outside of their frames, and of frames that are not there."""
        for why, places in self._lost.items():
            names = [self._tracklets.name(self._crops.tracklet[place]) for place in places]
            leave_out(names, "crops of tracks", why, total=len(self._crops))


def _frames_of(boxes: Boxes, place: Path, numbers: Sequence[int]) -> Iterator[Frame]:
    """Yield some frames of a camera."""
    return read_frames(frames_by_number(place, np.unique(boxes.frames).tolist()), numbers)


def _pass_over(row: int, error: DataError) -> None:
    """Let a box outside of its frame be left out."""


def _grouped(frames: Iterable[int], places: Iterable[int]) -> dict[int, list[int]]:
    groups: dict[int, list[int]] = {}
    for frame, place in zip(frames, places, strict=True):
        groups.setdefault(frame, []).append(place)
    return groups


def sharpness(crop: Pixels) -> float:
    """Return the variance of a crop's Laplacian, at one size for all: blur lowers it.

    Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000.
    """
    import cv2

    grey = cv2.cvtColor(np.ascontiguousarray(crop), cv2.COLOR_RGB2GRAY)
    same = cv2.resize(grey, _SHARPNESS_SIZE, interpolation=cv2.INTER_AREA)
    return float(cv2.Laplacian(same, cv2.CV_64F).var())


def unit_length(features: npt.NDArray[Any]) -> Float32:
    """Return features (C, D) divided by their lengths."""
    lengths = np.linalg.norm(features.astype(np.float64), axis=1, keepdims=True)
    found: Float32 = (features / np.maximum(lengths, 1e-12)).astype(np.float32)
    return found
