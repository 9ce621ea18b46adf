"""Pictures and frames in their order, each decoded once, and why some are not there."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from reid_plugins_tracks import pictures
from reid_plugins_tracks.frames import frames_by_number
from reid_plugins_tracks.pictures import read_frames, read_pictures
from reid_plugins_tracks.videos import VideoFrame

from reidcore.errors import DataError


@pytest.mark.parametrize("kind", ["video", "folder"])
@pytest.mark.parametrize("numbers", [[1, 2, 6], [4], []])
def test_wanted_frames_come_in_rgb(
    tmp_path, write_video, write_frames, pixels, kind, numbers
) -> None:
    is_video = kind == "video"
    place = write_video(tmp_path / "a.avi") if is_video else write_frames(tmp_path / "a", 6)
    found = list(read_frames(frames_by_number(place, range(1, 7)), numbers))
    assert [frame.number for frame in found] == numbers
    for number, frame, reason in found:
        assert reason == ""
        np.testing.assert_array_equal(frame, pixels[number - 1])


def test_pictures_come_once_each_images_first_and_videos_from_their_start(
    tmp_path, write_video, write_frames, pixels
) -> None:
    video, folder = write_video(tmp_path / "a.avi"), write_frames(tmp_path / "a")
    image = folder / "000002.png"
    wanted = [VideoFrame(video, 3), image, VideoFrame(video, 0), VideoFrame(video, 3), image]
    found = list(read_pictures(wanted))
    assert [each.picture for each in found] == [image, VideoFrame(video, 0), VideoFrame(video, 3)]
    for each, number in zip(found, (1, 0, 3), strict=True):
        np.testing.assert_array_equal(each.pixels, pixels[number])


def test_each_frame_of_a_video_that_ends_early_says_so(tmp_path, write_video) -> None:
    video = write_video(tmp_path / "a.avi")
    found = list(read_frames(frames_by_number(video, [5, 9, 12]), [5, 9, 12]))
    assert [frame.number for frame in found] == [5, 9, 12]
    assert found[0].pixels is not None
    told = f"the video {str(video)!r} ends before, after 6 frames"
    assert [frame.reason for frame in found] == ["", told, told]


def test_a_video_that_was_cut_off_ends_early(tmp_path, write_video) -> None:
    video = write_video(tmp_path / "a.avi", codec="MJPG")
    content = video.read_bytes()
    video.write_bytes(content[: len(content) * 6 // 10])
    found = list(read_frames(frames_by_number(video, range(1, 7)), range(1, 7)))
    seen = sum(frame.pixels is not None for frame in found)
    assert 0 < seen < 6
    assert found[-1].reason.endswith(f"ends before, after {seen} frames")


class Halting:
    """In the place of OpenCV's reader: a stream of five frames, the third of them damaged."""

    def __init__(self) -> None:
        self.asked = 0
        self.is_open = True

    def grab(self) -> bool:
        self.asked += 1
        return self.asked <= 5

    def retrieve(self) -> tuple[bool, np.ndarray | None]:
        return (False, None) if self.asked == 3 else (True, np.zeros((4, 4, 3), np.uint8))

    def release(self) -> None:
        self.is_open = False


def test_a_stream_that_stops_is_asked_no_more_and_closed(monkeypatch) -> None:
    stream = Halting()
    monkeypatch.setattr(pictures, "opened_video", lambda source: stream)
    numbers = [2, 3, 5, 8, 9, 10]
    found = list(read_frames(frames_by_number("rtsp://camera/1", numbers), numbers))
    stops = "the stream 'rtsp://camera/1' stops before, after 5 frames"
    assert [frame.reason for frame in found] == ["", "it cannot be decoded", "", *[stops] * 3]
    assert stream.asked == 6
    assert not stream.is_open


def test_frames_that_are_not_there_or_damaged_are_told(tmp_path, write_frames) -> None:
    folder = write_frames(tmp_path / "a")
    found = frames_by_number(folder, [1, 2, 3, 9])
    (folder / "000002.png").write_bytes(b"no image")
    (folder / "000003.png").unlink()
    reasons = {frame.number: frame.reason for frame in read_frames(found, [1, 2, 3, 9])}
    assert reasons[1] == ""
    assert reasons[9] == "no such frame"
    assert reasons[2] == "not an image"
    assert reasons[3] == "No such file or directory"


def test_frames_are_upright_as_whoever_drew_the_boxes_saw_them(tmp_path, write_video) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6  # a viewer turns it by a quarter
    (tmp_path / "a").mkdir()
    Image.new("RGB", (60, 40)).save(tmp_path / "a" / "1.jpg", exif=turned)
    (image,) = read_pictures([tmp_path / "a" / "1.jpg"])
    assert image.pixels.shape == (60, 40, 3)
    video = turned_by_a_quarter(write_video(tmp_path / "b.mp4", codec="mp4v"))
    (frame,) = read_pictures([VideoFrame(video, 1)])
    assert frame.pixels.shape == (64, 48, 3)


def turned_by_a_quarter(video: Path) -> Path:
    """Change the matrix in a video's track header, as telephones write it."""
    content = video.read_bytes()
    start = content.index(b"tkhd") + 4 + 40  # behind version, times, id, duration, layer, volume
    matrix = struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 48 << 16, 0, 1 << 30)
    video.write_bytes(content[:start] + matrix + content[start + 36 :])
    return video


@pytest.mark.parametrize("content", [b"", b"no video"])
def test_what_is_no_video_is_told(tmp_path, content) -> None:
    (tmp_path / "x.mp4").write_bytes(content)
    with pytest.raises(DataError, match=r"x.mp4' cannot be opened\. It has no pictures"):
        frames_by_number(tmp_path / "x.mp4", [1])
    with pytest.raises(DataError, match=r"no video '.*gone.mp4'"):
        frames_by_number(tmp_path / "gone.mp4", [1])
    with pytest.raises(DataError, match=r"stream 'udp://x' cannot be opened\. Check its address"):
        list(read_pictures([VideoFrame("udp://x", 0)]))
