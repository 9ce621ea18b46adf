"""Thumbnails of image files, within the page: JPEG as data URIs, up to a limit for all of them."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from reid_plugins_report.page.html import Html, tag
from reidcore.data import VIEWER, ImageReading, read_image
from reidcore.errors import DataError

WIDTH, HEIGHT = 80, 160
"""The room of a thumbnail in pixels; a picture keeps its proportions in it."""

MOST_BYTES = 24 << 20
"""Of all thumbnails of a page; a picture beyond that is a placeholder."""

_TILE = (36, 72)
_QUALITY, _TILE_QUALITY = 82, 68
_OVERLAY = 0.55  # how much of an activation map shows through


class _Made(NamedTuple):
    """A picture as a data URI, empty where there is none, and its width and height."""

    address: str
    size: tuple[int, int]


_NONE = _Made("", (0, 0))


class Pictures:
    """Makes thumbnails, each file once.

    Args:
        reading: how images are read.
        limit: bytes that the thumbnails of the page may have together.

    Attributes:
        missing: paths that could not be read.
        left_out: how many thumbnails the limit left out.
    """

    def __init__(self, reading: ImageReading = VIEWER, limit: int = MOST_BYTES) -> None:
        self.missing: set[str] = set()
        self.left_out = 0
        self._reading = reading
        self._room = limit
        self._made: dict[str, _Made] = {}

    def thumbnail(self, path: str, text: str) -> Html:
        """Return a picture of an image file, or a placeholder if it is gone.

        Args:
            path: the file.
            text: what it shows, for those who do not see it.
        """
        if path not in self._made:
            picture = self._read(path)
            self._made[path] = _NONE if picture is None else self._jpeg(_fitted(picture))
        return _image(self._made[path], text)

    def overlay(self, path: str, heat: npt.NDArray[np.uint8], text: str) -> Html:
        """Return a picture with a map over it.

        Args:
            path: the file.
            heat: (h, w) from 0 to 255.
            text: what it shows.
        """
        picture = self._read(path)
        if picture is None:
            return _image(_NONE, text)
        small = _fitted(picture)
        map_ = np.asarray(Image.fromarray(heat).resize(small.size, Image.Resampling.BICUBIC))
        blend = (1 - _OVERLAY) * np.asarray(small) + _OVERLAY * _coloured(map_ / 255)
        return _image(self._jpeg(Image.fromarray(blend.round().astype(np.uint8))), text)

    def sheet(self, paths: Sequence[str]) -> tuple[str, int, tuple[int, int]]:
        """Return many small pictures in one.

        Args:
            paths: the files, at least one; a tile stays grey where one is gone.

        Returns:
            Its address, tiles in a row, and width and height of a tile.
        """
        columns = max(1, int(np.ceil(np.sqrt(2 * len(paths)))))
        rows = -(-len(paths) // columns)
        whole = Image.new("RGB", (columns * _TILE[0], rows * _TILE[1]), (128, 128, 128))
        for place, path in enumerate(paths):
            if (picture := self._read(path)) is not None:
                row, column = divmod(place, columns)
                tile = ImageOps.pad(picture, _TILE, Image.Resampling.BILINEAR, color=(128,) * 3)
                whole.paste(tile, (column * _TILE[0], row * _TILE[1]))
        return self._jpeg(whole, _TILE_QUALITY).address, columns, _TILE

    def _read(self, path: str) -> Image.Image | None:
        if not path or path in self.missing:
            return None
        try:
            return read_image(path, self._reading)
        except DataError:
            self.missing.add(path)
            return None

    def _jpeg(self, picture: Image.Image, quality: int = _QUALITY) -> _Made:
        """Return a picture as a data URI, or nothing where the limit is reached."""
        content = io.BytesIO()
        picture.save(content, format="JPEG", quality=quality, optimize=True)
        address = "data:image/jpeg;base64," + base64.b64encode(content.getvalue()).decode()
        if len(address) > self._room:
            self.left_out += 1
            return _NONE
        self._room -= len(address)
        return _Made(address, picture.size)


def _fitted(picture: Image.Image) -> Image.Image:
    """Return a picture in the room of a thumbnail; one that is smaller grows."""
    scale = min(WIDTH / picture.width, HEIGHT / picture.height)
    size = (max(1, round(scale * picture.width)), max(1, round(scale * picture.height)))
    return picture.resize(size, Image.Resampling.LANCZOS)


def _image(made: _Made, text: str) -> Html:
    if not made.address:
        missing = tag("span", "no picture", aria_hidden="true")
        return tag("span", missing, class_="gone", role="img", aria_label=f"{text}: no picture")
    # Its size keeps its place until it is decoded, so that nothing moves under a reader.
    width, height = made.size
    lazy = {"loading": "lazy", "decoding": "async"}
    return tag("img", src=made.address, alt=text, width=width, height=height, **lazy)


def _coloured(heat: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Colour values (h, w) from 0 (dark violet) over red to 1 (yellow): (h, w, 3) in 0..255."""
    stops = np.array([[20, 11, 52], [132, 32, 107], [229, 92, 48], [252, 225, 90]], dtype=float)
    at = np.linspace(0, 1, len(stops))
    return np.stack([np.interp(heat, at, stops[:, channel]) for channel in range(3)], axis=-1)
