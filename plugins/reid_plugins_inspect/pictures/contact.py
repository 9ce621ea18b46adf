"""A contact sheet of a dataset: a row for each identity, a column for each camera."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from reid_plugins_inspect.pictures.drawing import (
    FAINT,
    INK,
    LINE,
    PAPER,
    TITLE,
    Colour,
    fitting,
    font_of,
    placeholder,
)
from reidcore.data import VIEWER, ImageReading, SampleTable, read_image
from reidcore.errors import DataError, counted

EMPTY: Colour = (244, 245, 247)
CHIP: Colour = (52, 58, 64)

_LONGEST = 24  # characters of an identity's name beside its row


@dataclass(frozen=True)
class Measures:
    """The measures of a sheet, in pixels.

    Attributes:
        width: of a picture.
        height: of a picture.
    """

    width: int
    height: int

    @property
    def gap(self) -> int:
        """Space between two pictures."""
        return max(4, self.width // 14)

    @property
    def text(self) -> int:
        """Size of the headings of rows and columns."""
        return max(11, min(18, round(self.width / 5.5)))

    @property
    def margin(self) -> int:
        """Space around everything."""
        return 2 * self.gap + 8

    @property
    def head(self) -> int:
        """Height of title and headings of columns."""
        return 3 * TITLE + 2 * self.text


def contact_sheet(
    table: SampleTable,
    title: str,
    identities: int = 10,
    cameras: int = 12,
    width: int = 64,
    height: int | None = None,
    seed: int = 0,
    reading: ImageReading = VIEWER,
) -> Image.Image:
    """Draw some identities of a split as each camera saw them.

    A picture keeps its proportions. Below it stands how many images there are of that identity by
    that camera, if there are more than the one that is shown, which is drawn at random.

    Args:
        table: Samples; of a tracklet the middle frame is shown.
        title: Words at the top.
        identities: How many rows; identities that several cameras saw come first.
        cameras: How many columns at most; those with the most images.
        width: Of a picture, in pixels.
        height: Of a picture, in pixels; as their usual proportions want if None.
        seed: Which identities, and which of their images.
        reading: How images are read.
    """
    picture_of = partial(_picture, table, reading)
    rng = np.random.default_rng(seed)
    columns = _most_used(table.camids, cameras)
    rows = _chosen(table, columns, identities, rng)
    height = height or _usual_height(len(table), picture_of, width)
    measures = Measures(width, height)
    unit = "tracklet" if table.paths.has_tracklets else "image"
    labels = [
        (_clipped(f"id {table.names.pid(pid)}"), counted(int((table.pids == pid).sum()), unit))
        for pid in rows
    ]
    side = (
        round(max((font_of(measures.text).getlength(name) for name, _ in labels), default=0)) + 12
    )
    side = max(side, round(font_of(measures.text - 2).getlength(f"99,999 {unit}s")))
    step_x, step_y = width + measures.gap, height + measures.gap
    title_width = round(font_of(TITLE).getlength(title))
    across = max(side + len(columns) * step_x, title_width) + 2 * measures.margin
    sheet = Image.new("RGB", (across, measures.head + len(rows) * step_y + measures.margin), PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((measures.margin, round(1.5 * TITLE)), title, INK, font_of(TITLE), anchor="lm")
    left, top = measures.margin + side, measures.head
    for number, camid in enumerate(columns):
        x = left + number * step_x + width // 2
        heading, font = fitting(f"cam {table.names.camid(camid)}", measures.text, step_x)
        draw.text((x, top - measures.text), heading, INK, font, anchor="mm")
    for row, (pid, label) in enumerate(zip(rows, labels, strict=True)):
        y = top + row * step_y
        _draw_label(draw, label, (measures.margin, y + height // 2), measures.text)
        for number, camid in enumerate(columns):
            found = np.flatnonzero((table.pids == pid) & (table.camids == camid))
            _draw_cell(sheet, draw, picture_of, found, (left + number * step_x, y), measures, rng)
    return sheet


def _draw_label(
    draw: ImageDraw.ImageDraw, label: tuple[str, str], place: tuple[int, int], size: int
) -> None:
    (x, y), (name, amount) = place, label
    draw.text((x, y - round(0.7 * size)), name, INK, font_of(size), anchor="lm")
    draw.text((x, y + round(0.7 * size)), amount, FAINT, font_of(size - 2), anchor="lm")


def _draw_cell(
    sheet: Image.Image,
    draw: ImageDraw.ImageDraw,
    picture_of: Callable[[int], Image.Image],
    found: npt.NDArray[np.intp],
    corner: tuple[int, int],
    measures: Measures,
    rng: np.random.Generator,
) -> None:
    (x, y), width, height = corner, measures.width, measures.height
    draw.rectangle([x, y, x + width - 1, y + height - 1], EMPTY)
    if not len(found):
        draw.line(
            [(x + width // 2 - 5, y + height // 2), (x + width // 2 + 5, y + height // 2)], LINE, 2
        )
        return
    picture = fitted(picture_of(int(rng.choice(found))), width, height)
    sheet.paste(picture, (x + (width - picture.width) // 2, y + (height - picture.height) // 2))
    if len(found) > 1:
        _draw_chip(draw, f"{len(found)}", (x + width - 3, y + height - 3), measures.text - 2)


def _draw_chip(draw: ImageDraw.ImageDraw, text: str, corner: tuple[int, int], size: int) -> None:
    """Draw a small number on a dark ground, by its lower right corner."""
    right, bottom = corner
    across = round(font_of(size).getlength(text)) + 6
    box = [right - across, bottom - size - 3, right, bottom]
    draw.rounded_rectangle(box, 3, CHIP)
    draw.text(
        (right - across / 2, bottom - (size + 3) / 2), text, PAPER, font_of(size), anchor="mm"
    )


def fitted(picture: Image.Image, width: int, height: int) -> Image.Image:
    """Return a picture as large as it goes into a box, with its proportions."""
    scale = min(width / picture.width, height / picture.height)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    return picture.resize(size, Image.Resampling.BICUBIC)


def _picture(table: SampleTable, reading: ImageReading, row: int) -> Image.Image:
    path = table.paths[row]
    file = path if isinstance(path, str) else path[len(path) // 2]
    try:
        return read_image(file, reading)
    except DataError:
        return placeholder("unreadable")


def _usual_height(count: int, picture_of: Callable[[int], Image.Image], width: int) -> int:
    """Return the height that half of some pictures have when they are so wide, within reason."""
    rows = np.linspace(0, count - 1, min(count, 15)).astype(int)
    pictures = [picture_of(row) for row in rows.tolist()]
    aspect = float(np.median([picture.height / picture.width for picture in pictures]))
    return round(width * min(max(aspect, 0.5), 2.5))


def _most_used(camids: npt.NDArray[np.int64], count: int) -> list[int]:
    known, counts = np.unique(camids, return_counts=True)
    most = np.argsort(-counts, kind="stable")[:count]
    return sorted(known[most].tolist())


def _chosen(
    table: SampleTable, columns: Sequence[int], count: int, rng: np.random.Generator
) -> list[int]:
    """Return identities at random, those that only one camera saw last."""
    inside = np.isin(table.camids, columns) & (table.pids >= 0)
    seen = np.unique(np.stack([table.pids[inside], table.camids[inside]], axis=1), axis=0)
    pids, cameras = np.unique(seen[:, 0], return_counts=True)
    order = np.lexsort((rng.permutation(len(pids)), cameras < 2))
    return sorted(pids[order[:count]].tolist())


def _clipped(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}\N{HORIZONTAL ELLIPSIS}"
