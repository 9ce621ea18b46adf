"""Image files to pixels in memory.

OpenCV decodes JPEG files to the bytes that Pillow gives, in half the time. Everything that the two
might see differently (other formats and colour spaces, damaged files) is left to Pillow.
"""

from __future__ import annotations

import ctypes
import os
import platform
import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from io import BytesIO
from threading import Lock
from typing import Any

import numpy as np
from PIL import Image

from reidcore.data.images.jpeg import read_header
from reidcore.data.images.opening import read_file
from reidcore.data.images.orientation import orientation_in, upright
from reidcore.data.images.reading import TORCHREID, ImageReading, UnreadableImageError
from reidcore.data.images.resize import Pixels
from reidcore.data.images.rgb import damage_told, rgb_of_picture


def read_image(path: str | os.PathLike[str], reading: ImageReading = TORCHREID) -> Image.Image:
    """Decode an image file completely, as 8-bit RGB.

    Args:
        path: The file.
        reading: What becomes of orientation, transparency and depth.

    Raises:
        UnreadableImageError: The file is missing, truncated, too large or not an image.
        DataError: Its values are of a range that nobody told.
    """
    name = os.fspath(path)
    return Image.fromarray(_by_pillow(name, BytesIO(read_file(name)), reading))


def read_pixels(
    path: str, draft: tuple[int, int] | None = None, reading: ImageReading = TORCHREID
) -> Pixels:
    """Decode an image file completely, to the pixels that `read_image` gives, or faster to others.

    Args:
        path: The file.
        draft: Height and width below which a JPEG file need not be decoded: its decoder may leave
            out detail that so small an image would not show, which changes pixels slightly.
        reading: What becomes of orientation, transparency and depth.

    Returns:
        The image, (h, w, 3).

    Raises:
        UnreadableImageError: The file is missing, truncated, too large or not an image.
        DataError: Its values are of a range that nobody told.
    """
    file = read_file(path)
    if draft is not None:
        return _by_pillow(path, BytesIO(file), reading, draft)
    return decode_pixels(file, path, reading)


def decode_pixels(file: bytes, name: str, reading: ImageReading = TORCHREID) -> Pixels:
    """Decode the bytes of an image file, see `read_pixels`.

    Args:
        file: The bytes.
        name: What they are, for messages.
        reading: What becomes of orientation, transparency and depth.
    """
    header, decoder = read_header(file), jpeg_decoder()
    if header is not None and isinstance(decoder, JpegDecoder):
        pixels = decoder.decode(file)
        if pixels is not None:
            turn = orientation_in(header.exif) if reading.is_viewer else 1
            return upright(pixels, turn)
    return _by_pillow(name, BytesIO(file), reading)


def prepare_worker() -> None:
    """Let OpenCV start no threads in this process, which is one of several that load images."""
    if opencv := loaded_opencv():
        opencv.setNumThreads(0)


def loaded_opencv() -> Any:
    """Return the module ``cv2``, or None in a process that does without it."""
    decoder = jpeg_decoder()
    return decoder.opencv if isinstance(decoder, JpegDecoder) else None


def decoder_in_use() -> str:
    """Say what decodes JPEG files, and why, if it is not OpenCV."""
    opencv = loaded_opencv()
    return f"OpenCV {opencv.__version__}" if opencv else f"Pillow ({jpeg_decoder()})"


class JpegDecoder:
    """OpenCV's decoder, for JPEG files that it and Pillow decode to the same bytes.

    Attributes:
        opencv: The module.

    Raises:
        ImportError: OpenCV or a library that it needs is missing, or it is too old.
        OSError: The messages of C code cannot be read on this system.
    """

    def __init__(self) -> None:
        self.opencv: Any = import_module("cv2")  # its stubs are of 10,000 lines
        self._messages = CMessages()
        try:
            self._flags = self.opencv.IMREAD_COLOR_RGB | self.opencv.IMREAD_IGNORE_ORIENTATION
        except AttributeError as error:
            raise ImportError("OpenCV is older than 4.11, or damaged") from error

    def decode(self, file: bytes) -> Pixels | None:
        """Return the image (h, w, 3) of a plain JPEG file, or None where it is left to Pillow."""
        before = self._messages.start()
        try:
            pixels: Pixels | None = self.opencv.imdecode(
                np.frombuffer(file, dtype=np.uint8), self._flags
            )
        except self.opencv.error:
            pixels = None
        finally:
            is_sound = self._messages.stop() == before
        # libjpeg makes the best of a damaged file; Pillow may refuse it.
        return pixels if is_sound else None


class CMessages:
    """What C code writes to its standard error while images are decoded.

    libjpeg reports damage there and nowhere else. The stream is exchanged for one in memory
    meanwhile, which also keeps what other C code has to say; Python's own standard error is another
    and stays as it is. Where threads decode at the same time, a message may be taken for another
    image's, which Pillow decodes once more then.

    Raises:
        OSError: The C library has no such stream, or none that may be exchanged.
    """

    def __init__(self) -> None:
        # Other C libraries, such as musl, keep the stream in memory that is read-only.
        if platform.libc_ver()[0] != "glibc" and sys.platform != "darwin":
            raise OSError("damaged files cannot be told on this system")
        libc = ctypes.CDLL(None)
        name = "__stderrp" if sys.platform == "darwin" else "stderr"
        self._stream = ctypes.c_void_p.in_dll(libc, name)
        self._terminal = self._stream.value
        self._position = libc.ftell
        self._position.argtypes, self._position.restype = [ctypes.c_void_p], ctypes.c_long
        libc.open_memstream.restype = ctypes.c_void_p
        self._text, self._size = ctypes.c_void_p(), ctypes.c_size_t()
        self._memory = libc.open_memstream(ctypes.byref(self._text), ctypes.byref(self._size))
        self._forget_readers()
        os.register_at_fork(after_in_child=self._forget_readers)

    def start(self) -> int:
        """Exchange the stream; return how much had been written to the one in memory."""
        with self._lock:
            self._readers += 1
            self._stream.value = self._memory
        return int(self._position(self._memory))

    def stop(self) -> int:
        """Put the stream back if nobody decodes any more; return how much has been written."""
        written = int(self._position(self._memory))
        with self._lock:
            self._readers -= 1
            if not self._readers:
                self._stream.value = self._terminal
        return written

    def _forget_readers(self) -> None:
        """Start anew: a child process has none of its parent's threads."""
        self._lock = Lock()
        self._readers = 0
        self._stream.value = self._terminal


def jpeg_decoder() -> JpegDecoder | str:
    """Return OpenCV's decoder, or why JPEG files are left to Pillow in this process."""
    with _deciding:
        return _jpeg_decoder()


_deciding = Lock()


@cache
def _jpeg_decoder() -> JpegDecoder | str:
    try:
        decoder = JpegDecoder()
    except ImportError as error:
        missing = re.match(r"(lib[^:]*\.so[^:]*):", str(error))
        needed = f"; install the system library {missing[1]}" if missing else ""
        return f"OpenCV cannot be loaded: {error}{needed}"
    except OSError as error:
        return f"OpenCV is not used: {error}"
    files = list(_trials())
    damaged = files[0][:-50] + _END
    if decoder.decode(damaged) is not None:
        return "OpenCV is not used: damaged files would pass unnoticed"
    if not all(_agrees(decoder, file) for file in files):
        return "OpenCV is not used: its pixels are not those of this Pillow"
    return decoder


def _agrees(decoder: JpegDecoder, file: bytes) -> bool:
    with Image.open(BytesIO(file)) as opened:
        expected = np.asarray(opened.convert("RGB"))
    found = decoder.decode(file)
    return found is not None and np.array_equal(found, expected)


def _trials() -> Iterator[bytes]:
    """Give a small JPEG file of each kind that OpenCV decodes."""
    coarse = np.random.default_rng(0).integers(0, 256, (5, 3, 3), dtype=np.uint8)
    image = Image.fromarray(coarse).resize((37, 51), Image.Resampling.BICUBIC)
    kinds = [(image, sampling, progressive) for sampling in (0, 1, 2) for progressive in (0, 1)]
    for picture, sampling, progressive in [*kinds, (image.convert("L"), 0, 0)]:
        file = BytesIO()
        picture.save(file, "JPEG", quality=80, subsampling=sampling, progressive=bool(progressive))
        yield file.getvalue()


_END = b"\xff\xd9"

_RUNS_PROGRAMS = ("EPS",)
"""Formats that Pillow draws by a program of the machine, Ghostscript."""


def _by_pillow(
    name: str, file: BytesIO, reading: ImageReading, draft: tuple[int, int] | None = None
) -> Pixels:
    with damage_told(name), Image.open(file) as image:
        if image.format in _RUNS_PROGRAMS:
            raise UnreadableImageError(name, f"{image.format} files are programs")
        return rgb_of_picture(image, reading, name, draft)
