"""Pictures in their order, each decoded once."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from reid_plugins_own_data import Crop, VideoFrame
from reid_plugins_own_data.importing.labels import labelled
from reid_plugins_own_data.importing.pictures import shown

from reidcore.errors import DataError


@pytest.fixture
def video(tmp_path) -> Path:
    """Ten frames, each of one grey: ten times its number, blue a little more."""
    file = tmp_path / "street.mkv"
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter_fourcc(*"MJPG"), 10, (32, 24))
    for number in range(10):
        writer.write(np.full((24, 32, 3), (10 * number + 40, 10 * number, 10 * number), np.uint8))
    writer.release()
    return file


def read(video: Path, positions) -> list[tuple[int, int, list[str]]]:
    rows = labelled([Crop(VideoFrame(video, at), str(n)) for n, at in enumerate(positions)])
    return [
        (round(pixels[..., 0].mean() / 10), round(pixels[..., 2].mean()), [row.pid for row in some])
        for pixels, some in shown(rows)
    ]


def test_frames_of_a_video_come_in_order_each_once_and_as_rgb(video) -> None:
    assert [(red, people) for red, _, people in read(video, [7, 2, 7, 0])] == [
        (0, ["3"]),
        (2, ["1"]),
        (7, ["0", "2"]),
    ]
    ((red, blue, _),) = read(video, [5])
    assert blue - 10 * red == pytest.approx(40, abs=6)


def test_frames_behind_the_end_are_counted_with_the_length(video, caplog) -> None:
    assert [red for red, _, _ in read(video, [9, 10, 30])] == [9]
    told = f"2 crops left out (the video {str(video)!r} ends before, after 10 frames)"
    assert told in caplog.text


def test_a_video_that_was_cut_off_ends_early(video, caplog) -> None:
    content = video.read_bytes()
    video.write_bytes(content[: len(content) * 6 // 10])
    found = read(video, range(10))
    assert 0 < len(found) < 10
    assert f"ends before, after {len(found)} frames" in caplog.text


def test_what_is_no_video_is_told(tmp_path) -> None:
    file = tmp_path / "x.avi"
    file.write_text("no video")
    with pytest.raises(DataError, match=r"cannot be opened\. It is damaged, or of a codec"):
        read(file, [0])
