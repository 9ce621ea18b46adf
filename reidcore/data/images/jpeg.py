"""The headers of JPEG files, read without a decoder (ITU-T T.81, annex B)."""

from __future__ import annotations

from typing import NamedTuple

from reidcore.data.images.limits import excess

_START, _END = b"\xff\xd8\xff", b"\xff\xd9"
_HUFFMAN_FRAMES = (0xC0, 0xC1, 0xC2)
_EXIF, _ADOBE, _SCAN = 0xE1, 0xEE, 0xDA

# Markers that no length follows. Decoders disagree on what comes after them, and a frame hidden
# there would be another decoder's frame: its size, not the one that was looked at.
_BARE = frozenset({0x00, 0x01, *range(0xD0, 0xDA), 0xFF})


class PlainJpeg(NamedTuple):
    """What the headers of a whole JPEG image of 8-bit grey or YCbCr values say.

    Attributes:
        height: Pixels.
        width: Pixels.
        exif: Its EXIF block, the name ``Exif`` and a TIFF header; may be empty.
    """

    height: int
    width: int
    exif: bytes


def read_header(file: bytes) -> PlainJpeg | None:
    """Read the headers of a file; None if it is another one, or larger than images may be.

    Args:
        file: The bytes of an image file.
    """
    if not (file.startswith(_START) and file.endswith(_END)):
        return None
    place, size, exif = 2, None, b""
    while place + 18 < len(file) and file[place] == 0xFF:
        marker, segment = file[place + 1], file[place + 4 : place + 23]
        length = int.from_bytes(file[place + 2 : place + 4])
        if marker == _SCAN:
            return PlainJpeg(*size, exif) if size else None
        if marker in _BARE or length < 2:
            return None
        if marker in _HUFFMAN_FRAMES:
            size = None if size else _plain_frame(segment)
            if size is None:
                return None
        elif marker == _EXIF and segment.startswith(b"Exif\0\0"):
            exif += file[place + (10 if exif else 4) : place + 2 + length]
        elif marker == _ADOBE and segment.startswith(b"Adobe") and not segment[11]:
            return None  # RGB or CMYK
        place += 2 + length
    return None


def _plain_frame(header: bytes) -> tuple[int, int] | None:
    """Read a frame: precision, height and width in 2 bytes each, and its components."""
    height, width = int.from_bytes(header[1:3]), int.from_bytes(header[3:5])
    is_rgb = header[6:15:3] == b"RGB"
    is_plain = header[0] == 8 and header[5] in (1, 3) and not is_rgb
    return (height, width) if is_plain and not excess(height, width) else None
