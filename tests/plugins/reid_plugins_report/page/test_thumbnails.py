from __future__ import annotations

import base64
import io
import re

import numpy as np
from PIL import Image
from reid_plugins_report.page import Pictures
from reid_plugins_report.page.thumbnails import HEIGHT, WIDTH


def decoded(html: str) -> Image.Image:
    (content,) = re.findall(r"data:image/jpeg;base64,([\w+/=]+)", html)
    return Image.open(io.BytesIO(base64.b64decode(content)))


def test_a_thumbnail_keeps_its_proportions_and_tells_what_it_shows(tmp_path) -> None:
    path = str(tmp_path / "a.png")
    Image.new("RGB", (100, 100), (200, 30, 30)).save(path)
    shown = Pictures().thumbnail(path, 'a "red" square')
    assert decoded(shown).size == (WIDTH, WIDTH)
    assert 'alt="a &quot;red&quot; square"' in shown
    Image.new("RGB", (10, 90)).save(path)
    assert decoded(Pictures().thumbnail(path, "narrow")).size[1] == HEIGHT


def test_a_file_that_is_gone_has_a_placeholder() -> None:
    pictures = Pictures()
    shown = pictures.thumbnail("/no/such/<file>.jpg", "someone")
    assert 'aria-label="someone: no picture"' in shown
    assert "<file>" not in shown
    assert pictures.missing == {"/no/such/<file>.jpg"}
    assert "no picture" in pictures.overlay("", np.zeros((2, 2), np.uint8), "x")


def test_the_pictures_of_a_page_have_a_limit_together(tmp_path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (160, 80, 3), dtype=np.uint8)
    for name in "ab":
        Image.fromarray(noise).save(tmp_path / f"{name}.png")
    pictures = Pictures(limit=20_000)
    first = pictures.thumbnail(str(tmp_path / "a.png"), "a")
    assert "data:" in first
    assert pictures.thumbnail(str(tmp_path / "a.png"), "a") == first  # made once
    assert "no picture" in pictures.thumbnail(str(tmp_path / "b.png"), "b")
    assert pictures.left_out == 1


def test_an_overlay_is_bright_where_the_map_is(tmp_path) -> None:
    path = str(tmp_path / "a.png")
    Image.new("RGB", (80, 160), (60, 60, 60)).save(path)
    heat = np.zeros((32, 16), np.uint8)
    heat[16:] = 255
    levels = np.asarray(decoded(Pictures().overlay(path, heat, "map")).convert("L"), dtype=float)
    assert levels[120:].mean() > 2 * levels[:40].mean()


def test_a_sheet_has_a_tile_for_each_picture(tmp_path) -> None:
    paths = []
    for place, colour in enumerate([(255, 0, 0), (0, 0, 255)]):
        paths.append(str(tmp_path / f"{place}.png"))
        Image.new("RGB", (36, 72), colour).save(paths[-1])
    address, columns, (width, height) = Pictures().sheet([*paths, "gone"])
    sheet = decoded(address)
    assert sheet.size[0] == columns * width
    seen = [
        sheet.getpixel((place % columns * width + 18, place // columns * height + 36))
        for place in range(3)
    ]
    assert seen[0][0] > 200 > 60 > seen[0][2]
    assert seen[1][2] > 200 > 60 > seen[1][0]
    assert seen[2] == (128, 128, 128)
