from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from reid_plugins_inspect.pictures.augmented import before_and_after
from reid_plugins_inspect.pictures.contact import contact_sheet, fitted

from reidcore.data import LabelNames
from reidcore.data.table import SampleTable

COLOURS = {(1, 0): (200, 0, 0), (1, 1): (0, 200, 0), (2, 0): (0, 0, 200), (3, 1): (200, 200, 0)}


@pytest.fixture
def table(tmp_path: Path) -> SampleTable:
    """Plain pictures, one colour for each identity and camera; two of identity 1 by camera 0."""
    rows = []
    for (pid, camid), colour in COLOURS.items():
        path = tmp_path / f"{pid}_{camid}.png"
        Image.new("RGB", (32, 64), colour).save(path)
        rows.append((str(path), pid, camid))
    return SampleTable.of([*rows, rows[0]])


def colours_of(sheet: Image.Image) -> set[tuple[int, ...]]:
    return set(map(tuple, np.asarray(sheet).reshape(-1, 3).tolist()))


def test_every_identity_is_drawn_as_each_camera_saw_it(table: SampleTable) -> None:
    sheet = contact_sheet(table, "shop", identities=3, width=32, height=64)
    assert set(COLOURS.values()) <= colours_of(sheet)
    pixels = np.asarray(sheet)

    def place(colour: tuple[int, int, int]) -> tuple[int, int]:
        rows, columns = np.nonzero((pixels == colour).all(axis=2))
        return int(rows.min()), int(columns.min())

    (top, left), (same_row, right) = place(COLOURS[1, 0]), place(COLOURS[1, 1])
    assert top == same_row
    assert left < right
    assert place(COLOURS[2, 0]) == (place(COLOURS[2, 0])[0], left)
    assert place(COLOURS[2, 0])[0] > top
    assert place(COLOURS[3, 1])[1] == right


def test_identities_of_several_cameras_come_first(table: SampleTable) -> None:
    found = colours_of(contact_sheet(table, "shop", identities=1, width=32, height=64))
    assert {COLOURS[1, 0], COLOURS[1, 1]} <= found
    assert COLOURS[2, 0] not in found


def test_columns_are_the_cameras_with_most_images(table: SampleTable) -> None:
    found = colours_of(contact_sheet(table, "shop", cameras=1, width=32, height=64))
    assert {COLOURS[1, 0], COLOURS[2, 0]} <= found
    assert COLOURS[1, 1] not in found


def test_cells_have_the_usual_proportions(table: SampleTable, tmp_path: Path) -> None:
    Image.new("RGB", (60, 30)).save(tmp_path / "car.png")
    car = SampleTable.of([(str(tmp_path / "car.png"), 1, 0)])
    tall, wide = contact_sheet(table, "shop", 1), contact_sheet(car, "cars", 1)
    assert tall.height - wide.height == 128 - 32


def test_the_same_seed_draws_the_same_sheet(table: SampleTable) -> None:
    first, again = (np.asarray(contact_sheet(table, "shop", 2, seed=5)) for _ in range(2))
    assert np.array_equal(first, again)


def test_an_unreadable_image_leaves_the_others(table: SampleTable) -> None:
    Path(str(table[2].path)).write_bytes(b"")
    sheet = contact_sheet(table, "shop", identities=3, width=32, height=64)
    assert COLOURS[1, 1] in colours_of(sheet)


def test_a_tracklet_shows_its_middle_frame(tmp_path: Path) -> None:
    for number in range(3):
        Image.new("RGB", (8, 16), (50 * number, 7, 7)).save(tmp_path / f"{number}.png")
    walk = tuple(str(tmp_path / f"{number}.png") for number in range(3))
    found = colours_of(contact_sheet(SampleTable.of([(walk, 1, 0)]), "walks"))
    assert (50, 7, 7) in found
    assert (0, 7, 7) not in found


def test_tracklets_are_counted_as_such(table: SampleTable, monkeypatch: pytest.MonkeyPatch) -> None:
    words: list[str] = []
    monkeypatch.setattr(
        "PIL.ImageDraw.ImageDraw.text", lambda self, place, text, *_, **__: words.append(text)
    )
    contact_sheet(table, "shop", 1)
    walk = (str(table[0].path), str(table[1].path))
    contact_sheet(SampleTable.of([(walk, 1, 0)]), "walks")
    assert "3 images" in words
    assert "1 tracklet" in words


@pytest.mark.parametrize(
    ("size", "expected"), [((10, 20), (50, 100)), ((100, 20), (64, 13)), ((500, 500), (64, 64))]
)
def test_pictures_keep_their_proportions(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert fitted(Image.new("RGB", size), 64, 100).size == expected


def test_what_a_transform_makes_is_shown_without_its_normalisation(tmp_path: Path) -> None:
    Image.new("RGB", (16, 32), (10, 100, 200)).save(tmp_path / "one.png")
    mean, std = (0.5, 0.4, 0.3), (0.2, 0.1, 0.3)
    drawn: list[float] = []

    def darker(image: Image.Image) -> np.ndarray:
        drawn.append(float(np.random.random()))
        pixels = np.asarray(image, dtype=np.float64).transpose(2, 0, 1) / 255 / 2
        return (pixels - np.reshape(mean, (3, 1, 1))) / np.reshape(std, (3, 1, 1))

    paths = [str(tmp_path / "one.png")]
    sheet = before_and_after(paths, darker, mean, std, "darker", draws=3)
    assert {(10, 100, 200), (5, 50, 100)} <= colours_of(sheet)
    assert len(set(drawn)) == 3
    again = before_and_after(paths, darker, mean, std, "darker", draws=3)
    assert np.array_equal(np.asarray(sheet), np.asarray(again))
    assert drawn[:3] == drawn[3:]


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is written into a picture."""
    texts: list[str] = []
    text = ImageDraw.ImageDraw.text

    def keeping(draw: ImageDraw.ImageDraw, place: object, words: str, *others, **more) -> None:
        texts.append(words)
        text(draw, place, words, *others, **more)

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", keeping)
    return texts


def test_identities_and_cameras_are_called_by_their_names(
    table: SampleTable, written: list[str]
) -> None:
    names = LabelNames({1: "anna", 2: "b" * 300}, {0: "gate", 1: "hall " * 50})
    contact_sheet(replace(table, names=names), "shop", width=32, height=64)
    assert {"id anna", "id 3", "cam gate"} <= set(written)
    assert all(len(text) < 30 for text in written)
    assert any(text.startswith("id bbb") and text.endswith("…") for text in written)
    assert any(text.startswith("cam hall") and text.endswith("…") for text in written)
