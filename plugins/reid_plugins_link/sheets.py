"""A contact sheet of each identity: the best crop of each of its tracks, in their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from reid_plugins_link.boxes import Int64
from reid_plugins_link.features import read_crops
from reid_plugins_link.tracklets import Tracklets
from reidcore.errors import counted

_WIDTH, _HEIGHT, _GAP, _TEXT = 96, 192, 10, 12
_ACROSS = 8  # pictures in a row
_PAPER, _INK, _FAINT = (255, 255, 255), (33, 37, 41), (128, 134, 139)


def draw_sheets(
    folder: Path,
    tracklets: Tracklets,
    identity: Int64,
    rows: Sequence[int | None],
    frames: Mapping[str, Path],
) -> int:
    """Draw a sheet for each identity of several tracks, ``<identity>.png``; return how many.

    Args:
        folder: where to; it is made.
        tracklets: all tracks.
        identity: (T,) of each.
        rows: for each track the row of its best crop among its camera's boxes.
        frames: camera -> folder of images, or video.
    """
    folder.mkdir()
    several = np.flatnonzero(np.bincount(identity) > 1)
    wanted = {
        place: row
        for place, row in enumerate(rows)
        if row is not None and identity[place] in several
    }
    thumbnails = {
        place: _fitted(Image.fromarray(crop))
        for place, crop in read_crops(tracklets, wanted, frames)
    }
    for number in several.tolist():
        members = [place for place in np.flatnonzero(identity == number) if place in thumbnails]
        if members:
            sheet = _sheet(number, [int(place) for place in members], thumbnails, tracklets)
            sheet.save(folder / f"{number}.png")
    return len(several)


def _sheet(
    number: int,
    members: Sequence[int],
    thumbnails: Mapping[int, Image.Image],
    tracklets: Tracklets,
) -> Image.Image:
    across, down = min(len(members), _ACROSS), -(-len(members) // _ACROSS)
    step, line = _HEIGHT + 3 * _TEXT + _GAP, 2 * _TEXT
    size = (max(240, _GAP + across * (_WIDTH + _GAP)), line + 2 * _GAP + down * step)
    sheet = Image.new("RGB", size, _PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(_TEXT)
    cameras = len({int(tracklets.camera[place]) for place in members})
    seen = f"{counted(len(members), 'track')} by {counted(cameras, 'camera')}"
    title = f"identity {number}: {seen}"
    draw.text((_GAP, _GAP), title, _INK, font)
    for index, place in enumerate(members):
        left = _GAP + (index % _ACROSS) * (_WIDTH + _GAP)
        top = line + _GAP + (index // _ACROSS) * step
        picture = thumbnails[place]
        sheet.paste(picture, (left + (_WIDTH - picture.width) // 2, top + _HEIGHT - picture.height))
        seconds = f"{tracklets.start[place]:.1f} to {tracklets.end[place]:.1f} s"
        draw.text((left, top + _HEIGHT + 2), tracklets.name(place), _INK, font)
        draw.text((left, top + _HEIGHT + 4 + _TEXT), seconds, _FAINT, font)
    return sheet


def _fitted(picture: Image.Image) -> Image.Image:
    """Return a picture as large as there is room for it."""
    scale = min(_WIDTH / picture.width, _HEIGHT / picture.height)
    size = (max(1, round(scale * picture.width)), max(1, round(scale * picture.height)))
    return picture.resize(size, Image.Resampling.BICUBIC)
