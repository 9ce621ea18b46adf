"""Pictures beside what the training transforms make of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from reid_plugins_inspect.pictures.contact import fitted
from reid_plugins_inspect.pictures.drawing import FAINT, INK, LINE, PAPER, TITLE, font_of
from reidcore.data import (
    VIEWER,
    ImageReading,
    generators_kept,
    mixed_seed,
    read_image,
    seed_generators,
)

GAP = 10


def before_and_after(
    paths: Sequence[str],
    transform: Callable[[Any], Any],
    mean: Sequence[float],
    std: Sequence[float],
    title: str,
    draws: int = 6,
    seed: int = 0,
    reading: ImageReading = VIEWER,
) -> Image.Image:
    """Draw images, and to the right of each what a transform makes of it in several draws.

    Args:
        paths: N image files, a row each.
        transform: Maps a PIL image to a normalised (3, height, width) tensor.
        mean: What it was normalised with, to take that back.
        std: Likewise.
        title: Words at the top.
        draws: How often the transform is applied to each image.
        seed: What is drawn.
        reading: How images are read.

    Raises:
        UnreadableImageError: An image cannot be read.
    """
    with generators_kept():
        rows = [
            (
                before,
                [_made(before, transform, mean, std, (seed, row, n)) for n in range(draws)],
            )
            for row, path in enumerate(paths)
            for before in [read_image(path, reading)]
        ]
    width, height = rows[0][1][0].size
    margin, head, apart = 2 * GAP, 3 * TITLE + 24, 2 * GAP
    across = 2 * margin + (draws + 1) * (width + GAP) - GAP + apart
    across = max(across, round(font_of(TITLE).getlength(title)) + 2 * margin)
    sheet = Image.new("RGB", (across, head + len(rows) * (height + GAP) + margin - GAP), PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((margin, round(1.5 * TITLE)), title, INK, font_of(TITLE), anchor="lm")
    draw.text((margin, head - 14), "before", FAINT, font_of(13), anchor="lm")
    after = margin + width + GAP + apart
    draw.text((after, head - 14), "after", FAINT, font_of(13), anchor="lm")
    line = margin + width + (GAP + apart) // 2
    draw.line([(line, head), (line, sheet.height - margin)], LINE, 2)
    for row, (before, made) in enumerate(rows):
        y = head + row * (height + GAP)
        shown = fitted(before, width, height)
        sheet.paste(shown, (margin + (width - shown.width) // 2, y + (height - shown.height) // 2))
        for number, picture in enumerate(made):
            sheet.paste(picture, (after + number * (width + GAP), y))
    return sheet


def _made(
    before: Image.Image,
    transform: Callable[[Any], Any],
    mean: Sequence[float],
    std: Sequence[float],
    seed: tuple[int, int, int],
) -> Image.Image:
    seed_generators(mixed_seed(*seed))
    # A copy: a plugin's transform may draw on the image that it is given.
    pixels = np.asarray(transform(before.copy()), dtype=np.float64)
    shown = pixels * np.reshape(std, (3, 1, 1)) + np.reshape(mean, (3, 1, 1))
    return Image.fromarray(np.round(shown.clip(0, 1) * 255).astype(np.uint8).transpose(1, 2, 0))
