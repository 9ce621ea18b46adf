"""What stands behind the people: one wide scene for each camera."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

from PIL import Image, ImageDraw, ImageFilter

from reid_plugins_synthetic.canvas import Colour

_WIDTHS = 5


def paint_backdrop(scene: str, size: tuple[int, int], random: Random) -> Image.Image:
    """Paint the wide scene that the pictures of one camera are cut from.

    Args:
        scene: one of `SCENES`.
        size: width and height of one picture in pixels; the scene is several times as wide.
        random: the stream to draw from.
    """
    width, height = size[0] * _WIDTHS, size[1]
    picture = Image.new("RGB", (width, height))
    SCENES[scene](picture, random)
    return picture.filter(ImageFilter.GaussianBlur(height / 130))


def cut(backdrop: Image.Image, size: tuple[int, int], random: Random) -> Image.Image:
    """Cut the piece behind one person out of a scene, slightly shifted up or down."""
    margin = size[1] // 24
    left = random.randrange(backdrop.width - size[0] + 1)
    top = random.randrange(-margin, margin + 1)
    box = (left, top, left + size[0], top + size[1])
    piece = backdrop.crop(box)
    edge = backdrop.crop((left, 0, left + size[0], 1)).resize((size[0], max(1, -top)))
    if top < 0:
        piece.paste(edge, (0, 0))
    elif top > 0:
        last = backdrop.crop((left, size[1] - 1, left + size[0], size[1]))
        piece.paste(last.resize((size[0], top)), (0, size[1] - top))
    return piece


def _gradient(picture: Image.Image, ups: tuple[float, float], top: Colour, bottom: Colour) -> None:
    """Fill the rows between two shares of the height with a vertical gradient."""
    first, last = (round(picture.height * up) for up in ups)
    paint = ImageDraw.Draw(picture)
    for row in range(first, last):
        part = (row - first) / max(1, last - first - 1)
        colour = tuple(round(a + part * (b - a)) for a, b in zip(top, bottom, strict=True))
        paint.line((0, row, picture.width, row), fill=colour)


def _hall(picture: Image.Image, random: Random) -> None:
    """Paint a tiled wall, a skirting board and a shining floor."""
    w, h = picture.size
    _gradient(picture, (0, 0.74), (206, 198, 184), (188, 178, 162))
    _gradient(picture, (0.74, 1), (150, 140, 128), (186, 176, 164))
    paint = ImageDraw.Draw(picture)
    step = h // 8
    for row in range(0, round(h * 0.74), step):
        offset = (row // step % 2) * step // 2
        for column in range(-step, w, step):
            tone = random.randrange(-9, 10)
            box = (column + offset, row, column + offset + step - 2, row + step - 2)
            paint.rectangle(box, fill=(198 + tone, 190 + tone, 176 + tone))
    for _ in range(4):
        left = random.randrange(w)
        paint.rectangle((left, h * 0.12, left + h * 0.2, h * 0.45), fill=_muted(random, 90, 170))
    paint.rectangle((0, h * 0.72, w, h * 0.75), fill=(104, 92, 82))
    for k in range(-6, 60):
        paint.line(
            (k * h * 0.14, h, k * h * 0.1 + h * 0.2, h * 0.75), fill=(140, 130, 120), width=2
        )


def _street(picture: Image.Image, random: Random) -> None:
    """Paint house fronts with windows and doors, a kerb and the road."""
    w, h = picture.size
    left = 0
    paint = ImageDraw.Draw(picture)
    while left < w:
        right = left + random.randrange(round(h * 0.35), round(h * 0.6))
        wall = _muted(random, 110, 190)
        paint.rectangle((left, 0, right, h * 0.78), fill=wall)
        dark = (wall[0] // 2, wall[1] // 2, wall[2] // 2 + 12)
        for column in range(left + h // 16, right - h // 8, h // 6):
            for row in (0.06, 0.34):
                paint.rectangle((column, h * row, column + h // 11, h * (row + 0.18)), fill=dark)
        paint.rectangle(
            (right - h // 7, h * 0.5, right - h // 30, h * 0.78), fill=_muted(random, 40, 110)
        )
        left = right
    _gradient(picture, (0.78, 0.9), (150, 150, 150), (136, 136, 138))
    _gradient(picture, (0.9, 1), (84, 86, 92), (74, 76, 82))
    paint.rectangle((0, h * 0.89, w, h * 0.905), fill=(186, 186, 182))


def _park(picture: Image.Image, random: Random) -> None:
    """Paint layers of leaves, trunks, a lawn and a path."""
    w, h = picture.size
    _gradient(picture, (0, 0.7), (92, 120, 84), (52, 82, 46))
    paint = ImageDraw.Draw(picture)
    for _ in range(9):
        left = random.randrange(w)
        paint.rectangle((left, 0, left + h * 0.05, h * 0.72), fill=(74, 58, 44))
    for _ in range(1100):
        x, y, r = (
            random.randrange(w),
            random.uniform(-0.05, 0.68) * h,
            random.uniform(0.01, 0.045) * h,
        )
        tone = random.randrange(-28, 42)
        leaf = (64 + tone, 100 + tone, 46 + tone // 2)
        paint.ellipse((x - r, y - r * 0.7, x + r, y + r * 0.7), fill=leaf)
    _gradient(picture, (0.7, 0.82), (96, 132, 66), (112, 146, 74))
    _gradient(picture, (0.82, 1), (168, 152, 122), (186, 170, 140))
    for _ in range(500):
        x, y = random.randrange(w), random.uniform(0.7, 0.83) * h
        tone = random.randrange(-20, 20)
        paint.line((x, y, x + 2, y - h * 0.02), fill=(100 + tone, 138 + tone, 66), width=2)


def _corridor(picture: Image.Image, random: Random) -> None:
    """Paint a gradient wall with a coloured band, a handrail, doors and lino."""
    w, h = picture.size
    _gradient(picture, (0, 0.62), (226, 230, 220), (170, 178, 168))
    _gradient(picture, (0.62, 1), (96, 104, 102), (138, 146, 142))
    paint = ImageDraw.Draw(picture)
    paint.rectangle((0, h * 0.34, w, h * 0.42), fill=(66, 118, 128))
    left = 0
    while left < w:
        left += random.randrange(round(h * 0.4), round(h * 0.8))
        paint.rectangle((left, h * 0.1, left + h * 0.26, h * 0.62), fill=(148, 132, 108))
        paint.rectangle((left + h * 0.03, h * 0.16, left + h * 0.12, h * 0.3), fill=(206, 214, 210))
    paint.rectangle((0, h * 0.46, w, h * 0.475), fill=(86, 78, 70))
    paint.rectangle((0, h * 0.6, w, h * 0.63), fill=(58, 60, 60))


def _night(picture: Image.Image, random: Random) -> None:
    """Paint a dark wall with lit windows and pools of lamp light on the ground."""
    w, h = picture.size
    _gradient(picture, (0, 0.76), (44, 44, 60), (74, 70, 76))
    _gradient(picture, (0.76, 1), (70, 66, 66), (96, 90, 86))
    paint = ImageDraw.Draw(picture)
    for _ in range(16):
        x, y = random.randrange(w), random.uniform(0.04, 0.5) * h
        glow = random.choice(((226, 190, 116), (60, 64, 86), (196, 204, 214), (52, 54, 70)))
        paint.rectangle((x, y, x + h * 0.1, y + h * 0.14), fill=glow)
    for _ in range(7):
        x, r = random.randrange(w), random.uniform(0.12, 0.26) * h
        for ring in range(5):
            s, tone = r * (1 - ring / 6), 92 + ring * 15
            box = (x - s, h * 0.92 - s * 0.22, x + s, h * 0.92 + s * 0.22)
            paint.ellipse(box, fill=(tone + 12, tone, tone - 18))


def _plaza(picture: Image.Image, random: Random) -> None:
    """Paint a pale sky, columns, steps and slabs."""
    w, h = picture.size
    _gradient(picture, (0, 0.45), (206, 216, 226), (226, 228, 228))
    _gradient(picture, (0.45, 1), (166, 166, 164), (196, 194, 190))
    paint = ImageDraw.Draw(picture)
    for left in range(0, w, round(h * 0.31)):
        column = left + random.randrange(h // 12)
        paint.rectangle((column, 0, column + h * 0.1, h * 0.66), fill=(178, 176, 170))
        paint.rectangle((column, 0, column + h * 0.03, h * 0.66), fill=(206, 204, 198))
    for k in range(4):
        shade = 146 + 12 * k
        paint.rectangle(
            (0, h * (0.6 + 0.05 * k), w, h * (0.65 + 0.05 * k)), fill=(shade, shade, shade - 3)
        )
    for k in range(-4, 40):
        top = math.floor(k * h * 0.16)
        paint.line((top * 1.3 - h * 0.3, h, top, h * 0.8), fill=(160, 158, 154), width=2)


def _muted(random: Random, low: int, high: int) -> Colour:
    """Draw a colour without much saturation."""
    base = random.randrange(low, high)
    red, green, blue = (min(255, max(0, base + random.randrange(-22, 23))) for _ in range(3))
    return red, green, blue


SCENES: dict[str, Callable[[Image.Image, Random], None]] = {
    "hall": _hall,
    "street": _street,
    "park": _park,
    "corridor": _corridor,
    "night": _night,
    "plaza": _plaza,
}
