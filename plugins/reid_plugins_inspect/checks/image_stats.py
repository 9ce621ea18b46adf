"""What one image file is like: its size, whether it decodes, and fingerprints of its content."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from reidcore.data import VIEWER, ImageReading, UnreadableImageError, decode_pixels, read_file
from reidcore.errors import DataError

GOOD, MISSING, EMPTY, DAMAGED, UNKNOWN_RANGE = range(5)

STATS_DTYPE = np.dtype(
    [
        ("state", np.uint8),
        ("bytes", np.int64),
        ("width", np.int32),
        ("height", np.int32),
        ("digest", "S32"),
        ("across", np.uint64),
        ("down", np.uint64),
    ]
)
"""State, size of the file, size of the picture, a hash of the file, two perceptual hashes.

The perceptual hashes say where a picture of 9 by 9 grey squares grows brighter, to the right and
downwards (after Krawetz's difference hash): 64 bits each, alike for copies that were scaled,
recompressed or slightly recoloured.
"""

ImageStats = npt.NDArray[np.void]


def examine(
    paths: Sequence[str], reading: ImageReading = VIEWER
) -> tuple[ImageStats, dict[int, str]]:
    """Return (n,) records of n files, as `STATS_DTYPE`, and place -> why it cannot be read."""
    image_stats = np.zeros(len(paths), dtype=STATS_DTYPE)
    unreadable: dict[int, str] = {}
    for place, path in enumerate(paths):
        reason = _examine_one(path, reading, image_stats[place])
        if reason:
            unreadable[place] = reason
    return image_stats, unreadable


def _examine_one(path: str, reading: ImageReading, stats: np.void) -> str:
    """Fill in what is known of a file; return why it is of no use, or nothing."""
    try:
        content = read_file(path)
    except UnreadableImageError as error:
        stats["state"] = MISSING
        return error.reason
    stats["bytes"] = len(content)
    if not content:
        stats["state"] = EMPTY
        return "the file is empty"
    # Hexadecimal digits, since numpy cuts trailing zero bytes off.
    stats["digest"] = hashlib.blake2b(content, digest_size=16).hexdigest().encode()
    try:
        image = Image.fromarray(decode_pixels(content, path, reading))
    except UnreadableImageError as error:
        stats["state"] = DAMAGED
        return error.reason
    except DataError as error:
        stats["state"] = UNKNOWN_RANGE
        return error.what.removeprefix(path).strip()
    stats["width"], stats["height"] = image.size
    stats["across"], stats["down"] = _perceptual_hashes(image.convert("L"))
    return ""


def _perceptual_hashes(grey: Image.Image) -> tuple[int, int]:
    # Fractions of grey levels, and a filter whose squares fade into each other: else it would be
    # the scaling or the compression that says which of two similar squares is brighter.
    small = grey.convert("F").resize((9, 9), Image.Resampling.BICUBIC, reducing_gap=3.0)
    squares = np.asarray(small).round(2)  # a plain picture stays plain
    across = squares[:8, 1:] > squares[:8, :-1]
    down = squares[1:, :8] > squares[:-1, :8]
    return _as_number(across), _as_number(down)


def _as_number(bits: npt.NDArray[np.bool_]) -> int:
    return int.from_bytes(np.packbits(bits).tobytes(), "big")
