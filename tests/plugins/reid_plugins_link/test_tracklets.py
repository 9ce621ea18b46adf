"""One table of all tracks, on one clock."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from reid_plugins_link.cameras import Camera
from reid_plugins_link.network import Clock, Network
from reid_plugins_link.tracklets import paths_of, read_tracklets

from reidcore.errors import UserError


@pytest.fixture
def files(mot, tmp_path):
    rows = [(1, 4, 0, 0, 5, 5), (11, 4, 0, 0, 5, 5), (6, 2, 9, 0, 5, 5)]
    return [mot(tmp_path / f"{name}.txt", *rows) for name in "ab"]


def read(files, fps=(None, None), given=None, **clocks):
    cameras = [
        Camera(name, path, None, rate) for name, path, rate in zip("ab", files, fps, strict=True)
    ]
    return read_tracklets(cameras, Network(clocks), given)


def test_tracks_come_in_the_order_in_which_they_begin(files) -> None:
    tracklets = read(files, (10.0, 10.0))
    assert [tracklets.name(k) for k in range(4)] == ["a/4", "b/4", "a/2", "b/2"]
    assert tracklets.start.tolist() == [0.0, 0.0, 0.5, 0.5]
    assert tracklets.end.tolist() == [1.0, 1.0, 0.5, 0.5]
    assert tracklets.find()["b", 2] == 3
    assert tracklets.of_boxes(0).tolist() == [2, 0, 0]
    assert tracklets.rows(0) == slice(1, 3)


def test_cameras_of_other_speeds_and_starts_share_a_clock(files) -> None:
    tracklets = read(files, (10.0, 5.0), b=Clock(None, 0.25))
    times = {tracklets.name(k): (tracklets.start[k], tracklets.end[k]) for k in range(4)}
    assert times == {
        "a/4": (0.0, 1.0), "a/2": (0.5, 0.5), "b/4": (0.25, 2.25), "b/2": (1.25, 1.25),
    }  # fmt: skip


def test_what_the_network_tells_goes_before_what_is_found(files) -> None:
    tracklets = read(files, (10.0, None), given=20.0, a=Clock(2.0))
    times = {tracklets.name(k): tracklets.end[k] for k in range(4)}
    assert times["a/4"] == 5.0  # the network's
    assert times["b/4"] == 0.5  # as given where nothing tells it


def test_a_video_tells_its_speed(files, tmp_path) -> None:
    path = str(tmp_path / "a.avi")
    video = cv2.VideoWriter(path, cv2.VideoWriter.fourcc(*"MJPG"), 8.0, (32, 32))
    video.write(np.zeros((32, 32, 3), np.uint8))
    video.release()
    cameras = [Camera("a", files[0], tmp_path / "a.avi", None), Camera("b", files[1], None, 4.0)]
    assert read_tracklets(cameras, Network(), None).end.max() == 10 / 4
    assert read_tracklets(cameras, Network(), None).end.min() == 5 / 8
    assert paths_of(cameras) == {"a": tmp_path / "a.avi"}


def test_a_speed_that_nothing_tells_is_asked_for(files) -> None:
    with pytest.raises(UserError, match=r"the camera 'b' recorded. Give --fps N"):
        read(files, (10.0, None))
