"""Boxes of a frame: their forms, and the crops that are cut by them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from reidcore.data.images.resize import Pixels
from reidcore.errors import DataError, UserError, did_you_mean, quoted

Boxes: TypeAlias = npt.NDArray[np.float64]

# Each makes (N, 4) of left, top, right and bottom.
_CORNERS: dict[str, Callable[[Boxes], Boxes]] = {
    "xyxy": lambda boxes: boxes,
    "xywh": lambda boxes: np.hstack(
        [boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2]
    ),
    "ltwh": lambda boxes: np.hstack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]]),
}
_COLOURS = ("rgb", "bgr")


def boxes_as_xyxy(
    boxes: Any, format: str = "xyxy", frame_shape: tuple[int, ...] | None = None
) -> Boxes:
    """Return boxes as left, top, right and bottom, in pixels.

    Args:
        boxes: (N, 4) numbers: an array, a tensor or lists; (4,) is one box, and of nothing at all
            there are no boxes.
        format: ``xyxy`` (left, top, right, bottom), ``xywh`` (the centre, width, height) or
            ``ltwh`` (left, top, width, height).
        frame_shape: height and width, and more, of a frame to which the boxes are clipped.

    Returns:
        (N, 4) float64. A box that lies outside of the frame keeps no area.

    Raises:
        UserError: if there is no such format.
        DataError: if these are no boxes.
    """
    if format not in _CORNERS:
        raise UserError(
            f"boxes have no format {quoted(format)}",
            f"{did_you_mean(format, _CORNERS)} Use xyxy, xywh (the centre) or ltwh.".strip(),
        )
    corners = _CORNERS[format](_as_rows(boxes))
    if frame_shape is None:
        return corners
    height, width = frame_shape[:2]
    return corners.clip(0, (width, height, width, height))  # NaN stays


def _as_rows(boxes: Any) -> Boxes:
    given = boxes.detach().cpu() if hasattr(boxes, "detach") else boxes
    try:
        rows = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"the boxes are no rows of numbers ({error})", "Give an array (N, 4)."
        ) from error
    if not rows.size:
        return rows.reshape(0, 4)
    rows = rows[None] if rows.shape == (4,) else rows
    if rows.ndim != 2 or rows.shape[1] != 4:
        further = rows.ndim == 2 and rows.shape[1] > 4
        raise DataError(
            f"the boxes are {rows.shape}, not (N, 4)",
            "Leave scores and classes out: boxes[:, :4]." if further else "Give an array (N, 4).",
        )
    return rows


def cut_crops(
    frame: Any,
    boxes: Any,
    format: str = "xyxy",
    color: str = "rgb",
    on_bad: Callable[[int, DataError], None] | None = None,
) -> list[Pixels]:
    """Return the part of a frame in each box, as RGB.

    Sides are rounded to whole pixels, and what lies outside of the frame is cut off.

    Args:
        frame: (H, W, 3) uint8.
        boxes: as of `boxes_as_xyxy`.
        format: likewise.
        color: what the frame's channels are, ``rgb`` or ``bgr``.
        on_bad: called with the row of a box in which there is no pixel of the frame, and the error;
            the box is left out. Without it the error is raised.

    Returns:
        For each box (h, w, 3) uint8, a view of the frame.

    Raises:
        UserError: if there is no such format or colour.
        DataError: if this is no frame, these are no boxes, or one holds nothing of the frame.
    """
    if color not in _COLOURS:
        raise UserError(f"color={quoted(color)}", "Use rgb, or bgr for what OpenCV reads.")
    pixels = checked_frame(frame)
    in_rgb = pixels[..., ::-1] if color == "bgr" else pixels
    crops = []
    for row, box in enumerate(np.rint(boxes_as_xyxy(boxes, format, pixels.shape))):
        crop = _cut(in_rgb, box, row)
        if not isinstance(crop, DataError):
            crops.append(crop)
        elif on_bad is None:
            raise crop
        else:
            on_bad(row, crop)
    return crops


def checked_frame(frame: Any) -> Pixels:
    """Return a frame, (H, W, 3) uint8.

    Raises:
        DataError: if it is of another type, layout or depth.
    """
    if not isinstance(frame, np.ndarray):
        raise DataError(
            f"the frame is of type {type(frame).__name__}", "Give an array (H, W, 3) of uint8."
        )
    told = f"the frame is {frame.shape} of {frame.dtype}, not (H, W, 3) of uint8"
    if frame.ndim == 3 and frame.shape[0] == 3 and frame.shape[2] != 3:
        raise DataError(told, "Bring the channels last: frame.transpose(1, 2, 0).")
    if frame.ndim != 3 or frame.shape[2] != 3 or not frame.size:
        raise DataError(told, "Give one frame of three channels.")
    if frame.dtype != np.uint8:
        raise DataError(told, "Scale it to 0..255: (frame * 255).astype(np.uint8) for 0..1.")
    return frame


def _cut(frame: Pixels, box: Boxes, row: int) -> Pixels | DataError:
    if np.isnan(box).any():
        return DataError(f"row {row} of the boxes holds NaN", "Leave it out.")
    left, top, right, bottom = box.astype(int)
    if right <= left or bottom <= top:
        height, width = frame.shape[:2]
        return DataError(
            f"row {row} of the boxes holds no pixel of the frame, which is {width} wide and "
            f"{height} high",
            "Leave it out (on_bad says how); is the format right?",
        )
    return frame[top:bottom, left:right]
