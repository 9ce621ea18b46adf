"""Nothing but regular files is opened, whatever a list of images names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from reidcore.data.images.cache import FileMark
from reidcore.data.images.decode import read_image, read_pixels
from reidcore.data.images.narrow import narrow_use
from reidcore.data.images.reading import TORCHREID, UnreadableImageError

READERS = {
    "pixels": read_pixels,
    "draft": lambda path: read_pixels(path, draft=(8, 4)),
    "image": read_image,
}


@pytest.mark.parametrize("read", READERS.values(), ids=list(READERS))
@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("pipe.jpg", "a pipe, a socket or a device"),
        (os.devnull, "a pipe, a socket or a device"),
        ("round.jpg", "symbolic links"),
        ("folder.jpg", "directory"),
        ("gone.jpg", "No such file"),
        ("a\0.jpg", "null byte"),
        ("a\ud800.jpg", "surrogates not allowed"),
    ],
)
def test_what_is_no_file_is_an_unreadable_image_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read, path: str, reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe.jpg")
    Path("round.jpg").symlink_to("round.jpg")
    Path("folder.jpg").mkdir()
    with pytest.raises(UnreadableImageError, match=reason) as caught:
        read(path)
    assert caught.value.path == path
    assert str(caught.value).isprintable()
    assert narrow_use([path], TORCHREID) == ""


def test_a_path_that_cannot_be_one_has_no_mark() -> None:
    assert FileMark.of("a\0.jpg") is None


def test_a_file_behind_a_link_is_read(tmp_path: Path) -> None:
    Image.new("RGB", (4, 8), (255, 0, 0)).save(tmp_path / "a.png")
    (tmp_path / "link.png").symlink_to("a.png")
    assert read_pixels(str(tmp_path / "link.png")).shape == (8, 4, 3)
