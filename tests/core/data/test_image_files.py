"""What counts as an image in a folder, and what is told of everything else."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from PIL import Image, features

from reidcore import data
from reidcore.data import image_files
from reidcore.data.image_files import find_image_files, is_image, is_side_file, list_files
from reidcore.errors import DataError


@pytest.fixture(autouse=True)
def _listening(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "reidcore")


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_every_ending_is_one_that_this_pillow_reads() -> None:
    Image.init()
    readable = {ending for ending, kind in Image.EXTENSION.items() if kind in Image.OPEN}
    assert set(image_files.image_endings()) <= {*readable, ".mpo"}


def test_an_image_that_pillow_was_built_without_is_told_with_what_would_read_it(
    tmp_path, monkeypatch, caplog
) -> None:
    check = features.check
    monkeypatch.setattr(features, "check", lambda name: name != "webp" and check(name))
    image_files.image_endings.cache_clear()
    try:
        touch(tmp_path, "a.webp", "b.tif")
        assert find_image_files(tmp_path).files == ["b.tif"]
    finally:
        image_files.image_endings.cache_clear()
    assert "1 image left out (Pillow was built without webp: install another" in caplog.text


def test_an_opener_that_a_plugin_registered_makes_an_image(monkeypatch) -> None:
    assert not is_image("a.HEIC")
    monkeypatch.setitem(Image.EXTENSION, ".heic", "HEIF")
    assert is_image("a.HEIC")
    assert not is_image("a.heif")


@pytest.mark.parametrize(
    "name",
    [
        "._a.jpg",
        ".DS_Store",
        "Thumbs.db",
        "desktop.ini",
        "@eaDir",
        "__MACOSX",
        ".ipynb_checkpoints",
    ],
)
def test_side_files_are_no_images_wherever_they_lie(tmp_path, name, caplog) -> None:
    assert is_side_file(name)
    touch(tmp_path, "0001/a.jpg", f"0001/{name}/b.jpg" if "." not in name[1:] else f"0001/{name}")
    assert list_files(tmp_path, below=True).files == ["0001/a.jpg"]
    assert all(record.levelname == "INFO" for record in caplog.records)


def test_images_in_folders_below_are_told_where_they_are_not_read(tmp_path, caplog) -> None:
    touch(tmp_path, "a.jpg", "c1/b.jpg", "c1/d/c.tif", "c2/notes.txt", "@eaDir/a.jpg/b.jpg")
    assert find_image_files(tmp_path) == (["a.jpg"], ["c1/b.jpg", "c1/d/c.tif"])
    assert "2 images in folders below left out" in caplog.text
    assert find_image_files(tmp_path, below=True).files == ["a.jpg", "c1/b.jpg", "c1/d/c.tif"]


def test_pipes_sockets_and_links_that_lead_nowhere_are_told(tmp_path, caplog) -> None:
    touch(tmp_path, "a.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "null.jpg").symlink_to(os.devnull)
    (tmp_path / "gone.jpg").symlink_to("nowhere.jpg")
    (tmp_path / "round.jpg").symlink_to("round.jpg")
    (tmp_path / "link.jpg").symlink_to("a.jpg")
    with socket.socket(socket.AF_UNIX) as listening:
        here = os.getcwd()
        os.chdir(tmp_path)  # a socket's path is short
        try:
            listening.bind("socket.jpg")
        finally:
            os.chdir(here)
    assert find_image_files(tmp_path).files == ["a.jpg", "link.jpg"]
    names = [repr(str(tmp_path / name)) for name in ("null.jpg", "pipe.jpg", "socket.jpg")]
    links = [repr(str(tmp_path / name)) for name in ("gone.jpg", "round.jpg")]
    assert caplog.messages == [
        f"3 files left out (sockets, pipes or devices): {', '.join(names)}",
        f"2 links left out (they lead nowhere): {', '.join(links)}",
    ]


def test_links_to_folders_are_followed_once_and_never_round(tmp_path, caplog) -> None:
    pool = touch(tmp_path / "pool", "a.jpg")
    train = touch(tmp_path / "shop" / "train", "0001/b.jpg")
    touch(tmp_path / "shop" / "query", "c.jpg")
    (train / "0000").symlink_to(train / "0001")
    (train / "0002").symlink_to(pool)
    (train / "0003").symlink_to(pool)
    (train / "0001" / "self").symlink_to(train / "0001")
    (train / "above").symlink_to(tmp_path / "shop")
    assert find_image_files(train, below=True).files == ["0001/b.jpg", "0002/a.jpg"]
    assert "4 folders left out (read already, by another path)" in caplog.text


def test_a_folder_without_permission_is_told(tmp_path, monkeypatch, caplog) -> None:
    touch(tmp_path, "0001/a.jpg", "0002/b.jpg")
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("0002/"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert find_image_files(tmp_path, below=True).files == ["0001/a.jpg"]
    assert "1 folder left out (Permission denied)" in caplog.text
    with pytest.raises(DataError, match=r"cannot read the folder .*0002/'.*Permission denied"):
        list_files(f"{tmp_path}/0002/")


def test_names_that_are_no_text_are_read_and_shown(tmp_path, caplog) -> None:
    for name in (b"0001_c1_\xe9.jpg", b"0002_c1_\x1b[2J\n.jpg", b"\xff_\x1b[2J.jpg"):
        (Path(os.fsdecode(bytes(tmp_path) + b"/train/" + name))).parent.mkdir(exist_ok=True)
        (Path(os.fsdecode(bytes(tmp_path) + b"/train/" + name))).touch()
    train = data.from_folders(tmp_path, query=None, gallery=None).train
    assert [sample[1] for sample in train] == [1, 2]
    (told,) = caplog.messages
    assert told.isprintable()
    assert r"\udcff_\x1b[2J.jpg" in told


def test_images_that_all_lie_below_are_an_error_with_the_next_step(tmp_path) -> None:
    touch(tmp_path / "train", "0002/c1/x.jpg", "0002/c2/y.tif")
    with pytest.raises(DataError, match=r"folders below it: 2, such as '0002/c1/x.jpg'") as caught:
        data.from_folders(tmp_path, query=None, gallery=None)
    pattern = r"(?P<pid>\d+)/c(?P<camid>\d+)"
    assert pattern in str(caught.value)
    train = data.from_folders(tmp_path, query=None, gallery=None, pattern=pattern).train
    assert [tuple(sample[1:3]) for sample in train] == [(2, 1), (2, 2)]


def test_half_the_images_in_another_format_are_learnt_from(tmp_path) -> None:
    touch(tmp_path / "train", "0001_c1.jpg", "0001_c2.ppm", "0002_c1.TIF", "0002_c2.tiff")
    assert len(data.from_folders(tmp_path, query=None, gallery=None).train) == 4
