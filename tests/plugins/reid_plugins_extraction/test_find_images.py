"""Image files from files, folders and patterns."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from reid_plugins_extraction.find_images import find_images

from reidcore.errors import DataError


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    for name in ("b/2.JPG", "b/1.png", "a.jpeg", "b/notes.txt", "b/deep/3.webp", "c [1]/4.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("sources", "found"),
    [
        (["b"], ["b/1.png", "b/2.JPG", "b/deep/3.webp"]),
        (["a.jpeg", "b/deep"], ["a.jpeg", "b/deep/3.webp"]),
        (["b/notes.txt"], ["b/notes.txt"]),  # asked for by name
        (["b/*"], ["b/1.png", "b/2.JPG", "b/deep/3.webp"]),  # as a shell would hand them over
        (["**/*.jpg"], ["c [1]/4.jpg"]),
        (["c [1]"], ["c [1]/4.jpg"]),  # a folder whose name reads like a pattern
        (["b/2.JPG", "b", "b/*"], ["b/2.JPG", "b/1.png", "b/deep/3.webp"]),
    ],
)
def test_sources(folder, sources, found) -> None:
    assert find_images(sources) == found


def test_an_absolute_pattern(folder) -> None:
    assert find_images([str(folder / "b" / "*.png")]) == [str(folder / "b" / "1.png")]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("gone", "'gone' names no image. There is no such file or folder"),
        ("b/*.gif", "No image file matches"),
        ("empty", "It has no file ending in .jpg"),
    ],
)
def test_nothing_is_an_error(folder, source, message) -> None:
    (folder / "empty").mkdir()
    with pytest.raises(DataError, match=message):
        find_images(["a.jpeg", source])


def test_other_files_in_a_folder_are_told(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("scan.tif", "scan.heic", ".DS_Store"):
        (folder / name).touch()
    assert str(folder / "scan.tif") in find_images([str(folder)])
    assert caplog.messages == [
        "1 image left out (convert them, or let a plugin register pillow-heif): "
        f"{str(folder / 'scan.heic')!r}"
    ]


def test_what_a_pattern_fits_and_is_no_image_is_told(folder: Path, caplog) -> None:
    caplog.set_level("INFO", "reidcore")
    assert find_images(["b/*"])
    assert caplog.messages == ["1 file left out (no images): 'notes.txt'"]


def test_a_pipe_is_no_image(folder: Path) -> None:
    os.mkfifo(folder / "b" / "pipe.jpg")
    assert "b/pipe.jpg" not in find_images(["b"])
    with pytest.raises(DataError, match="It is a pipe, a socket or a device"):
        find_images(["b/pipe.jpg"])


def test_lists_name_a_source_a_line(folder, tmp_path) -> None:
    listing = tmp_path / "list.txt"
    lines = [folder / "b" / "1.png", "", f"{folder / 'b' / '*.png'}"]
    listing.write_text("\n".join(map(str, lines)))
    assert find_images([f"@{listing}"]) == [str(folder / "b" / "1.png")]
    listing.write_text("\n")
    with pytest.raises(DataError, match="The list is empty"):
        find_images([f"@{listing}"])
    with pytest.raises(DataError, match=r"the list 'gone.txt' cannot be read"):
        find_images(["@gone.txt"])


def test_what_a_list_names_and_is_not_there_is_left_out(folder, tmp_path, caplog) -> None:
    listing = tmp_path / "list.txt"
    found = str(folder / "b" / "1.png")
    listing.write_bytes(f"\ufeff{found}\r\ngone.png\r\ngone/*.png\r\n".encode())
    assert find_images([f"@{listing}"]) == [found]
    assert caplog.messages == [
        f"2 of 3 paths left out (of the list {listing}, without an image): 'gone.png', 'gone/*.png'"
    ]
    listing.write_text("gone.png\nfar.png\n")
    with pytest.raises(DataError, match=r"names no image. None of its 2 paths .* 'gone.png'"):
        find_images([f"@{listing}"])
