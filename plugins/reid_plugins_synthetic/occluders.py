"""What stands in the way: things in front of the person."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

from PIL import Image, ImageDraw

Thing = Callable[[Image.Image, Random], None]


def paint_thing(picture: Image.Image, random: Random) -> None:
    """Paint one thing over a picture of a person, in place."""
    random.choice(_THINGS)(picture, random)


def _pole(picture: Image.Image, random: Random) -> None:
    w, h = picture.size
    paint = ImageDraw.Draw(picture)
    left, width = random.uniform(0.1, 0.75) * w, random.uniform(0.08, 0.17) * w
    tone = random.randrange(70, 170)
    steps = 6
    for k in range(steps):
        shade = tone + round(46 * math.sin(math.pi * (k + 0.5) / steps)) - 20
        a, b = left + width * k / steps, left + width * (k + 1) / steps
        paint.rectangle((a, 0, b, h), fill=(shade, shade, shade + 4))


def _bush(picture: Image.Image, random: Random) -> None:
    w, h = picture.size
    paint = ImageDraw.Draw(picture)
    top = random.uniform(0.66, 0.84) * h
    for _ in range(90):
        x, y = random.uniform(-0.1, 1.1) * w, top + random.uniform(0, 1) * (h - top)
        r, tone = random.uniform(0.05, 0.13) * w, random.randrange(-22, 34)
        leaf = (54 + tone, 92 + tone, 44 + tone // 2)
        paint.ellipse((x - r, y - r * 0.8, x + r, y + r * 0.8), fill=leaf)


def _fence(picture: Image.Image, random: Random) -> None:
    w, h = picture.size
    paint = ImageDraw.Draw(picture)
    tone = random.randrange(50, 190)
    colour, thick = (tone, tone, tone), max(2, w // 26)
    top = random.uniform(0.55, 0.7) * h
    for row in (top, top + 0.16 * h, top + 0.32 * h):
        paint.line((0, row, w, row), fill=colour, width=thick)
    for k in range(6):
        column = w * (k + random.random()) / 6
        paint.line((column, top, column, h), fill=colour, width=thick)


def _car(picture: Image.Image, random: Random) -> None:
    w, h = picture.size
    paint = ImageDraw.Draw(picture)
    top = random.uniform(0.7, 0.82) * h
    base = random.randrange(40, 210)
    body = (base, max(0, base - random.randrange(0, 60)), max(0, base - random.randrange(0, 60)))
    start = random.uniform(-0.5, 0.5) * w
    end = start + 1.15 * w
    paint.rounded_rectangle((start, top, end, h * 1.05), radius=h // 20, fill=body)
    glass = (60, 72, 84)
    paint.rectangle((start + 0.1 * w, top + 0.025 * h, end - 0.1 * w, top + 0.075 * h), fill=glass)
    lamp = (236, 226, 190)
    paint.ellipse((end - 0.16 * w, top + 0.1 * h, end - 0.05 * w, top + 0.14 * h), fill=lamp)


def _bin(picture: Image.Image, random: Random) -> None:
    w, h = picture.size
    paint = ImageDraw.Draw(picture)
    left, top = random.uniform(-0.1, 0.6) * w, random.uniform(0.66, 0.78) * h
    tone = random.randrange(50, 120)
    right = left + random.uniform(0.34, 0.5) * w
    paint.rectangle((left, top, right, h), fill=(tone, tone + 16, tone))
    paint.rectangle((left, top, left + 0.1 * w, h), fill=(tone + 24, tone + 40, tone + 24))
    paint.rectangle(
        (left - 2, top - 0.02 * h, right + 2, top), fill=(tone - 24, tone - 14, tone - 24)
    )


_THINGS: tuple[Thing, ...] = (_pole, _bush, _fence, _car, _bin)
