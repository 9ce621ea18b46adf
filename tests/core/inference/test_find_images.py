"""Image files from files, folders and patterns."""

from __future__ import annotations

from pathlib import Path

import pytest

from reidcore.errors import DataError
from reidcore.inference.find_images import find_images


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
        (["b/*"], ["b/1.png", "b/2.JPG"]),
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
    for name in ("scan.tif", ".DS_Store"):
        (folder / name).touch()
    find_images([str(folder)])
    assert "files left out (not .jpg" in caplog.text
    assert "scan.tif" in caplog.text
    assert ".DS_Store" not in caplog.text
