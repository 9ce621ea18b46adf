"""From values of any depth to bytes, by a rule for the whole dataset, never by the image."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from reidcore.data.images.reading import ImageReading, UnreadableImageError
from reidcore.errors import DataError

Values: TypeAlias = npt.NDArray[Any]

_SET_RANGE = "Set data.value_range (value_range= in Python) to what is to become 0 and 255"


def range_of(dtype: np.dtype[Any], reading: ImageReading) -> tuple[float, float] | None:
    """Return the values that become 0 and 255; None if nobody says, or values are bytes already.

    Unsigned integers have the range of their type, unless they are read as by Torchreid. That of
    signed ones, which Pillow's mode ``I`` has for anything, and of floats is unknown.
    """
    if dtype == np.uint8 or dtype.kind == "b":
        return None
    if reading.value_range is not None:
        return reading.value_range
    return (0.0, float(np.iinfo(dtype).max)) if dtype.kind == "u" and reading.is_viewer else None


def check_depth(dtype: np.dtype[Any], reading: ImageReading, name: str) -> None:
    """Make sure that it is known what values mean.

    Raises:
        DataError: They are no numbers, or their range is to be told and is not.
    """
    if dtype.kind not in "buif":
        raise DataError(f"{name} holds {dtype}, which are no values of pixels")
    if dtype.kind in "if" and reading.value_range is None:
        raise DataError(f"{name} holds {dtype}, whose range nobody told", _SET_RANGE)


def as_bytes(values: Values, reading: ImageReading, name: str) -> npt.NDArray[np.uint8]:
    """Return values as bytes: scaled and rounded, those beyond the range cut off at its ends.

    Values of 16 bits are divided by 257. Read as by Torchreid, they are left as they are.

    Args:
        values: Of any shape and numeric type.
        reading: The rule.
        name: What they are, for messages.

    Raises:
        UnreadableImageError: They are not finite.
        DataError: Their range is to be told and is not, or Torchreid's reading would lose them.
    """
    check_depth(values.dtype, reading, name)
    if values.dtype == np.uint8:
        return values
    if values.dtype.kind == "b":
        return values.astype(np.uint8) * 255
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise UnreadableImageError(name, "it holds values that are not finite")
    ends = range_of(values.dtype, reading)
    if ends is None:
        return _unscaled(values, name)
    low, high = ends
    shares = (values.astype(np.float64) - low) / (high - low)
    scaled: npt.NDArray[np.uint8] = np.rint(shares.clip(0, 1) * 255).astype(np.uint8)
    return scaled


def _unscaled(values: Values, name: str) -> npt.NDArray[np.uint8]:
    same = values.astype(np.uint8)
    if not np.array_equal(same, values):
        raise DataError(
            f"{name} holds {values.dtype} from {values.min():g} to {values.max():g}, and is read "
            "as Torchreid does it (data.reading=torchreid), which would lose what is no byte",
            "Set data.reading=viewer (reading='viewer' in Python), which scales 16 bits to 8, or "
            "data.value_range (value_range=) to what is to become 0 and 255",
        )
    return same
