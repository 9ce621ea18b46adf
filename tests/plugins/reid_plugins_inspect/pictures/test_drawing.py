import numpy as np
import pytest
from PIL import Image
from reid_plugins_inspect.pictures.drawing import (
    MATCH,
    NEUTRAL,
    OTHER,
    Entry,
    Layout,
    draw_sheet,
    draw_strip,
    placeholder,
)

BLUE = (0, 0, 250)


def entry(matched=None, rank=None, caption="id 1 · cam 2"):
    return Entry(Image.new("RGB", (10, 30), BLUE), caption, "0.123", rank, matched)


@pytest.mark.parametrize("size", [(32, 64), (128, 256), (200, 100)], ids=str)
def test_pictures_stand_in_frames_of_their_colour(size):
    layout = Layout(*size, columns=3)
    strip = draw_strip(entry(), [entry(True, 1), entry(False, 2)], layout)
    assert strip.size == layout.size
    for column, colour in enumerate((NEUTRAL, MATCH, OTHER)):
        x, y = layout.corner(column)
        assert strip.getpixel((x - 1, y + size[1] // 2)) == colour
        assert strip.getpixel((x + size[0] // 2, y + size[1])) == colour
        assert strip.getpixel((x + size[0] // 2, y + size[1] // 2)) == BLUE
    x, y = layout.corner(3)  # room for a third that was not found
    assert strip.getpixel((x + 5, y + 5)) == (255, 255, 255)


def test_frames_do_not_overlap_and_lie_inside():
    layout = Layout(64, 128, columns=4)
    edges = [layout.corner(column)[0] for column in range(5)]
    assert min(np.diff(edges)) > 64 + 2 * layout.border
    assert edges[-1] + 64 + layout.border < layout.size[0]


def test_a_long_caption_does_not_run_into_its_neighbour():
    layout = Layout(48, 96, columns=2)
    strip = np.asarray(draw_strip(entry(), [entry(True, 1, "id 123456 · cam 12")], layout))
    x, y = layout.corner(2)
    below = strip[y + 96 + layout.border + 1 :, x - layout.border :]
    assert (below == 255).all()


def test_a_sheet_has_room_for_its_title_however_narrow_its_strips():
    strips = [draw_strip(entry(), [entry(True, 1)], Layout(16, 32, columns=1))] * 3
    sheet = draw_sheet(strips, "Top 1 for 3 of 3 queries")
    assert sheet.height > 3 * strips[0].height
    assert sheet.width > strips[0].width


def test_a_missing_picture_is_replaced_by_one_that_says_so():
    picture = np.asarray(placeholder("unreadable"))
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 1
