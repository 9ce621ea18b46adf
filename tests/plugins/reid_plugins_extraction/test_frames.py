"""Frames: those that are wanted, from a video and from a folder alike."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from reid_plugins_extraction.frames import is_stream, wanted_frames

from reidcore.errors import DataError


@pytest.mark.parametrize("source", ["video", "frame_folder"])
@pytest.mark.parametrize("numbers", [[1, 2, 6], [4], []])
def test_wanted_frames_come_in_rgb(request, source, numbers, pixels) -> None:
    found = list(wanted_frames(str(request.getfixturevalue(source)), numbers))
    assert [number for number, _ in found] == numbers
    for number, frame in found:
        np.testing.assert_array_equal(frame, pixels[number - 1])


def test_a_video_that_ends_early_is_told(video, caplog) -> None:
    found = list(wanted_frames(str(video), [5, 9, 12]))
    assert [number for number, _ in found] == [5]
    assert "ends before frame 7" in caplog.text


def test_a_folder_leaves_out_what_it_lacks_and_images_without_numbers(tmp_path, caplog) -> None:
    for name in ("a.png", "1.png", "3.png", "x_003.png"):
        Image.new("RGB", (4, 4)).save(tmp_path / name)
    assert [number for number, _ in wanted_frames(str(tmp_path), [1, 2, 3])] == [1, 3]
    assert "2 of 4 images left out" in caplog.text or "2 images left out" in caplog.text


def test_a_damaged_frame_is_left_out_and_told(tmp_path, caplog) -> None:
    for number in (1, 2, 3):
        Image.new("RGB", (4, 4)).save(tmp_path / f"{number}.png")
    (tmp_path / "2.png").write_bytes(b"no image")
    assert [number for number, _ in wanted_frames(str(tmp_path), [1, 2, 3])] == [1, 3]
    assert "1 frame left out (unreadable): '2.png'" in caplog.text


def test_what_is_no_video(tmp_path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"a.mp4' is no video that OpenCV reads. Convert it"):
        list(wanted_frames(str(tmp_path / "a.mp4"), [1]))
    with pytest.raises(DataError, match="There is no such file or folder"):
        list(wanted_frames(str(tmp_path / "gone.mp4"), [1]))
    with pytest.raises(DataError, match="no images with numbers"):
        list(wanted_frames(str(tmp_path), [1]))


def test_addresses_of_streams() -> None:
    assert is_stream("rtsp://camera/1")
    assert is_stream("HTTP://host/a.m3u8")
    assert not is_stream("folder/a.mp4")
