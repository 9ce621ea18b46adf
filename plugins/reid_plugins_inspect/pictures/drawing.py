"""Ranked lists as pictures: a strip for each query, and a sheet of strips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

PAPER: Colour = (255, 255, 255)
INK: Colour = (33, 37, 41)
FAINT: Colour = (128, 134, 139)
LINE: Colour = (218, 220, 224)
NEUTRAL: Colour = (73, 80, 87)
MATCH: Colour = (24, 150, 75)
OTHER: Colour = (214, 48, 49)

TITLE = 16  # size of a sheet's title, in pixels


@dataclass(frozen=True)
class Entry:
    """One picture of a strip.

    Args:
        image: the picture, of any size.
        caption: who and where, below the picture.
        detail: a second line, fainter.
        rank: its place in the list, from 1; None for the query.
        matched: whether it shows the query's identity; None for the query.
        note: a line above the strip, of a query.
    """

    image: Image.Image
    caption: str
    detail: str = ""
    rank: int | None = None
    matched: bool | None = None
    note: str = ""

    @property
    def colour(self) -> Colour:
        """The colour of its frame."""
        if self.matched is None:
            return NEUTRAL
        return MATCH if self.matched else OTHER


@dataclass(frozen=True)
class Layout:
    """The measures of a strip, in pixels, all following from the size of a picture.

    Args:
        width: of a picture.
        height: of a picture.
        columns: how many ranks a strip has room for.
    """

    width: int
    height: int
    columns: int

    @property
    def border(self) -> int:
        """Thickness of a frame, which lies outside the picture."""
        return max(3, round(self.width / 26))

    @property
    def text(self) -> int:
        """Size of the captions."""
        return max(11, round(self.width / 9))

    @property
    def band(self) -> int:
        """Height of the frame's upper edge, which bears the rank."""
        return round(1.5 * self.text)

    @property
    def head(self) -> int:
        """Height of the line above the frames."""
        return round(1.6 * self.text)

    @property
    def gap(self) -> int:
        """Space between two frames."""
        return max(6, self.width // 12)

    @property
    def margin(self) -> int:
        """Space around a strip."""
        return 2 * self.gap

    @property
    def step(self) -> int:
        """From one picture to the next."""
        return self.width + 2 * self.border + self.gap

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of a strip."""
        across = 2 * self.margin + (self.columns + 1) * self.step - self.gap + 2 * self.margin
        frame = self.band + self.height + self.border
        return across, 2 * self.margin + self.head + frame + 3 * self.text

    def corner(self, column: int) -> tuple[int, int]:
        """Return the left upper corner of a picture; column 0 is the query's, set apart."""
        apart = 2 * self.margin if column else 0
        x = self.margin + self.border + column * self.step + apart
        return x, self.margin + self.head + self.band


def draw_strip(query: Entry, found: Sequence[Entry], layout: Layout) -> Image.Image:
    """Draw a query and, to the right of a line, what was found for it, nearest first."""
    strip = Image.new("RGB", layout.size, PAPER)
    draw = ImageDraw.Draw(strip)
    for column, entry in enumerate([query, *found[: layout.columns]]):
        _draw_entry(strip, draw, entry, layout.corner(column), layout)
    x = (layout.corner(0)[0] + layout.width + layout.corner(1)[0]) // 2
    top, bottom = layout.margin, layout.corner(0)[1] + layout.height + layout.border
    draw.line([(x, top), (x, bottom - 1)], fill=LINE, width=max(1, layout.border // 2))
    left, middle = layout.corner(1)[0] - layout.border, layout.margin + round(0.6 * layout.text)
    draw.text((left, middle), query.note, INK, font_of(layout.text), anchor="lm")
    return strip


def draw_sheet(strips: Sequence[Image.Image], title: str, below: str = "") -> Image.Image:
    """Draw strips below each other under a title, a line below it and a legend of the colours."""
    width, height = strips[0].size
    legend, small = _legend(), font_of(round(0.8 * TITLE))
    margin, head = TITLE, 3 * TITLE + (TITLE if below else 0)
    title_width = round(max(font_of(TITLE).getlength(title), small.getlength(below)))
    width = max(width, title_width + legend.width + 4 * margin)
    sheet = Image.new("RGB", (width, head + len(strips) * (height + 1)), PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((margin, round(1.5 * TITLE)), title, INK, font_of(TITLE), anchor="lm")
    draw.text((margin, round(2.8 * TITLE)), below, FAINT, small, anchor="lm")
    sheet.paste(legend, (width - margin - legend.width, (head - legend.height) // 2))
    for index, strip in enumerate(strips):
        y = head + index * (height + 1)
        draw.line([(margin, y), (width - margin, y)], fill=LINE)
        sheet.paste(strip, (0, y + 1))
    return sheet


def placeholder(reason: str) -> Image.Image:
    """Return a grey picture that says why there is none."""
    picture = Image.new("RGB", (128, 256), LINE)
    ImageDraw.Draw(picture).text((64, 128), reason, NEUTRAL, font_of(16), anchor="mm")
    return picture


def _draw_entry(
    strip: Image.Image,
    draw: ImageDraw.ImageDraw,
    entry: Entry,
    corner: tuple[int, int],
    layout: Layout,
) -> None:
    (x, y), border = corner, layout.border
    right, bottom = x + layout.width, y + layout.height
    top = y - layout.band
    draw.rectangle([x - border, top, right + border - 1, bottom + border - 1], entry.colour)
    picture = entry.image.convert("RGB").resize(
        (layout.width, layout.height), Image.Resampling.BICUBIC
    )
    strip.paste(picture, corner)
    _draw_band(draw, entry, (x, top + layout.band // 2), layout)
    line = bottom + border + round(0.9 * layout.text)
    for text, colour in ((entry.caption, INK), (entry.detail, FAINT)):
        shown, font = fitting(text, layout.text, layout.step - 2)
        draw.text(((x + right) // 2, line), shown, colour, font, anchor="mm")
        line += round(1.35 * layout.text)


def _draw_band(
    draw: ImageDraw.ImageDraw, entry: Entry, left: tuple[int, int], layout: Layout
) -> None:
    """Draw the rank, and a tick or a cross for those who do not tell the colours apart."""
    x, y = left
    text = "query" if entry.rank is None else str(entry.rank)
    draw.text((x, y), text, PAPER, font_of(layout.text), anchor="lm")
    if entry.matched is not None:
        reach = 0.32 * layout.text
        _draw_mark(draw, x + layout.width - 1.5 * reach, y, reach, entry.matched)


def _draw_mark(draw: ImageDraw.ImageDraw, x: float, y: float, reach: float, matched: bool) -> None:
    pen = max(1, round(0.4 * reach))
    if matched:
        points = [(x - reach, y), (x - 0.3 * reach, y + 0.7 * reach), (x + reach, y - 0.8 * reach)]
        draw.line(points, PAPER, pen, joint="curve")
    else:
        draw.line([(x - reach, y - reach), (x + reach, y + reach)], PAPER, pen)
        draw.line([(x - reach, y + reach), (x + reach, y - reach)], PAPER, pen)


def _legend() -> Image.Image:
    """Return what the colours mean."""
    size, font = round(0.8 * TITLE), font_of(round(0.8 * TITLE))
    meanings = ((NEUTRAL, "query"), (MATCH, "same identity"), (OTHER, "another identity"))
    widths = [round(2 * size + font.getlength(meaning)) for _, meaning in meanings]
    legend = Image.new("RGB", (sum(widths) + 2 * size * (len(widths) - 1), 2 * size), PAPER)
    draw, x = ImageDraw.Draw(legend), 0
    for (colour, meaning), width in zip(meanings, widths, strict=True):
        draw.rectangle([x, size // 2, x + size, size // 2 + size], colour)
        draw.text((x + round(1.6 * size), size), meaning, INK, font, anchor="lm")
        x += width + 2 * size
    return legend


def fitting(text: str, size: int, width: float) -> tuple[str, Font]:
    """Return a text and its font, smaller and then shorter than wanted to be no wider than that.

    Args:
        text: one line.
        size: of the font that is wanted, in pixels.
        width: in pixels.
    """
    while size > 7 and font_of(size).getlength(text) > width:
        size -= 1
    shown = text
    while len(shown) > 2 and font_of(size).getlength(shown) > width:
        shown = f"{shown[:-2]}\N{HORIZONTAL ELLIPSIS}"
    return shown, font_of(size)


@cache
def font_of(size: int) -> Font:
    """Return the font of pictures, in a size in pixels."""
    return ImageFont.load_default(size)
