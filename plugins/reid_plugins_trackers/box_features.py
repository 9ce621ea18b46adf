"""Features of a frame's boxes, a row for each box, which is what every tracker wants.

N boxes, D feature dimensions; H and W are the height and width of a frame.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from reidcore.errors import DataError, UserError, counted, did_you_mean, quoted
from reidcore.inference import boxes_as_xyxy, cut_crops

Features: TypeAlias = npt.NDArray[np.float32]
Image: TypeAlias = npt.NDArray[np.uint8]
OnBad: TypeAlias = Literal["blank", "raise"]

_log = logging.getLogger(f"reidcore.{__name__}")

_BLANK_SIDE = 16
_BLACK = "It gets the features of a black image"


class CropExtractor(Protocol):
    """What an adapter needs of an extractor; `reidcore.inference.FeatureExtractor` is one."""

    @property
    def feature_dim(self) -> int:
        """D."""

    def __call__(self, input: Any) -> Any:
        """Return the features (N, D) of a list of RGB images (h, w, 3), a tensor."""

    def crops(self, frame: Any, boxes: Any, format: str = "xyxy", color: str = "rgb") -> Any:
        """Return the features (N, D) of a frame's boxes, a tensor."""


class FrameFeatures(NamedTuple):
    """Features of the boxes of a frame.

    Attributes:
        rows: (N, D), of unit length; zeros where a box holds no pixel.
        held: which boxes hold a pixel of the frame, (N,).
    """

    rows: Features
    held: npt.NDArray[np.bool_]


class BoxFeatures:
    """Cuts the boxes out of a frame and gives their features, of unit length, in one batch.

    A detector may give a box that lies outside of the frame, that has no area or that is not
    finite. Trackers want a row for it, and most divide by its length. It gets the features of a
    black image, as encoders of BoxMOT and libreyolo give it; that is logged once, and counted.

    Safe for several threads, as its extractor is.

    Args:
        extractor: a `FeatureExtractor`, or what has its `crops` and `feature_dim`.
        on_bad: ``blank``, or ``raise`` for an error at the first box that holds no pixel.

    Attributes:
        blank_count: how many boxes held no pixel.

    Raises:
        UserError: if the extractor has no such members, or there is no such ``on_bad``.
    """

    def __init__(self, extractor: CropExtractor, on_bad: OnBad = "blank") -> None:
        if not (callable(extractor) and callable(getattr(extractor, "crops", None))):
            raise UserError(
                f"{type(extractor).__name__} is no extractor: it lacks a call or crops",
                "Give a reidcore.inference.FeatureExtractor.",
            )
        if on_bad not in get_args(OnBad):
            raise UserError(
                f"on_bad={quoted(on_bad)}",
                f"{did_you_mean(on_bad, get_args(OnBad))} Use blank or raise.".strip(),
            )
        self.extractor = extractor
        self.feature_dim = int(extractor.feature_dim)
        self.blank_count = 0
        self._on_bad = on_bad
        self._blank: Features | None = None
        self._has_told_of_orientation = False
        self._lock = threading.Lock()

    def of(self, frame: Image, boxes: Any, format: str, color: str) -> FrameFeatures:
        """Return the features of a frame's boxes.

        Args:
            frame: (H, W, 3) uint8.
            boxes: (N, 4) numbers.
            format: ``xyxy``, ``xywh`` (the centre) or ``ltwh``.
            color: ``rgb`` or ``bgr``, what the frame is.

        Raises:
            DataError: if this is no frame, or these are no boxes; with ``on_bad="raise"`` if a box
                holds no pixel.
        """
        return self._of(frame, boxes, format, color, "It gets no features")

    def _of(self, frame: Image, boxes: Any, format: str, color: str, told: str) -> FrameFeatures:
        corners = boxes_as_xyxy(boxes, format)
        rows = np.zeros((len(corners), self.feature_dim), dtype=np.float32)
        if not len(corners):
            return FrameFeatures(rows, np.zeros(0, dtype=bool))
        bad: dict[int, DataError] = {}
        cut_crops(frame, corners, "xyxy", color, bad.__setitem__)
        self._note(list(bad.values()), told)
        held = np.array([place not in bad for place in range(len(corners))], dtype=bool)
        if held.any():
            rows[held] = unit_rows(self.extractor.crops(frame, corners[held], "xyxy", color))
        return FrameFeatures(rows, held)

    def filled(self, frame: Image, boxes: Any, format: str, color: str) -> Features:
        """Return the features (N, D), those of a black image where a box holds no pixel."""
        rows, held = self._of(frame, boxes, format, color, _BLACK)
        if not held.all():
            rows[~held] = self.blank()
        return rows

    def of_crops(self, crops: Sequence[Image], color: str) -> Features:
        """Return the features (N, D) of crops, those of a black image for one without a pixel.

        Args:
            crops: (h, w, 3) uint8 each.
            color: ``rgb`` or ``bgr``.
        """
        images = [np.asarray(crop) for crop in crops]
        held = np.array([image.size > 0 for image in images], dtype=bool)
        rows = np.zeros((len(images), self.feature_dim), dtype=np.float32)
        self._note(
            [
                DataError(f"crop {place} of {len(images)} is empty", "Leave its box out.")
                for place in np.flatnonzero(~held)
            ],
            _BLACK,
        )
        if held.any():
            good = [image for image, is_held in zip(images, held, strict=True) if is_held]
            in_rgb = [image[..., ::-1] for image in good] if color == "bgr" else good
            rows[held] = unit_rows(self.extractor([np.ascontiguousarray(each) for each in in_rgb]))
        if not held.all():
            rows[~held] = self.blank()
        return rows

    def upright(self, oriented: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the upright boxes around oriented ones (see `enclosing`); the first is logged."""
        with self._lock:
            is_first, self._has_told_of_orientation = not self._has_told_of_orientation, True
        if is_first:
            _log.warning("Oriented boxes: features are those of the upright boxes around them")
        return enclosing(oriented)

    def blank(self) -> Features:
        """Return the features (D,) of a black image."""
        if self._blank is None:
            black = np.zeros((_BLANK_SIDE, _BLANK_SIDE, 3), dtype=np.uint8)
            whole = [[0, 0, _BLANK_SIDE, _BLANK_SIDE]]
            self._blank = unit_rows(self.extractor.crops(black, whole, "xyxy", "rgb"))[0]
        return self._blank

    def _note(self, errors: Sequence[DataError], told: str) -> None:
        """Count boxes that hold no pixel; the first of all is logged, with what becomes of it.

        Raises:
            DataError: the first of them, with ``on_bad="raise"``.
        """
        if not errors:
            return
        if self._on_bad == "raise":
            raise errors[0]
        with self._lock:
            is_first = not self.blank_count
            self.blank_count += len(errors)
        if is_first:
            _log.warning(
                "%s: %s. %s, and so will others, untold; blank_count counts them",
                counted(len(errors), "box without a pixel", "boxes without a pixel"),
                errors[0].what,
                told,
            )


def enclosing(oriented: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the upright boxes around oriented ones.

    Args:
        oriented: (N, 5) centre, width, height and angle in radians.

    Returns:
        (N, 4) left, top, right and bottom.
    """
    centres, sides, angles = oriented[:, :2], np.abs(oriented[:, 2:4]), oriented[:, 4]
    cosines, sines = np.abs(np.cos(angles)), np.abs(np.sin(angles))
    halves = np.stack(
        [
            sides[:, 0] * cosines + sides[:, 1] * sines,
            sides[:, 0] * sines + sides[:, 1] * cosines,
        ],
        axis=1,
    )
    return np.hstack([centres - halves / 2, centres + halves / 2])


def rows_of_numbers(boxes: Any) -> npt.NDArray[np.float64]:
    """Return boxes as rows, (N, columns); (0, 4) if there are none.

    Args:
        boxes: an array, a tensor on any device, or lists; a single row is one box.

    Raises:
        DataError: if they are no numbers.
    """
    given = boxes.detach().cpu() if hasattr(boxes, "detach") else boxes
    try:
        rows = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"the boxes are no rows of numbers ({error})",
            "Give an array (N, 4), or of more columns.",
        ) from error
    return np.atleast_2d(rows) if rows.size else np.zeros((0, 4))


def first_four(boxes: Any) -> npt.NDArray[np.float64]:
    """Return boxes (N, 4) of rows that may go on with score, class and more.

    Raises:
        DataError: if they are no rows of four numbers or more.
    """
    rows = rows_of_numbers(boxes)
    if rows.ndim != 2 or rows.shape[1] < 4:
        raise DataError(f"the boxes are {rows.shape}", "Give an array (N, 4), or of more columns.")
    return rows[:, :4]


def unit_rows(features: Any) -> Features:
    """Return features (N, D), a tensor or an array, as float32 rows of unit length on the CPU."""
    given = features.detach().float().cpu() if hasattr(features, "detach") else features
    rows: Features = np.asarray(given, dtype=np.float32)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Features = rows / np.maximum(lengths, np.finfo(np.float32).tiny)
    return unit
