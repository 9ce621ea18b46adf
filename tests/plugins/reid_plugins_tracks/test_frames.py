"""Annotated frames and the pictures they are."""

from __future__ import annotations

import pytest
from reid_plugins_tracks.frames import below, frames_by_number
from reid_plugins_tracks.videos import VideoFrame, is_stream

from reidcore.errors import DataError


def names(place, numbers, base, first=None) -> dict[int, str]:
    found = frames_by_number(place, numbers, base, first)
    return {number: picture.stem.lstrip("0") or "0" for number, picture in found.items()}


@pytest.mark.parametrize(
    ("first_file", "annotated", "base", "expected"),
    [
        (1, [1, 2, 3], 1, {1: "1", 2: "2", 3: "3"}),
        (0, [1, 2, 3], 1, {1: "0", 2: "1", 3: "2"}),  # as MOTChallenge counts
        (1, [0, 1, 2], 1, {0: "1", 1: "2", 2: "3"}),  # rows from 0, against the format
        (0, [0, 2], 0, {0: "0", 2: "2"}),
        (1, [0, 2], 0, {0: "1", 2: "3"}),  # images from 1, annotations from 0
        (500, [500, 502], 1, {500: "500", 502: "502"}),  # an excerpt, numbered as the whole
        (1, [2, 3, 4], 1, {2: "2", 3: "3"}),  # the last one is not there
    ],
)
def test_how_frames_are_numbered_is_found_out(
    tmp_path, write_frames, first_file, annotated, base, expected
) -> None:
    write_frames(tmp_path, 3, first_file)
    assert names(tmp_path, annotated, base) == expected


def test_no_frame_lies_before_the_first_picture_though_fewer_are_then_there(
    tmp_path, write_frames
) -> None:
    for number in (1, 3, 5):
        write_frames(tmp_path, 1, number)
    assert names(tmp_path, [0, 3, 5], base=1) == {0: "1"}


def test_another_count_than_the_formats_is_told(tmp_path, write_frames, caplog) -> None:
    write_frames(tmp_path, 3)
    frames_by_number(tmp_path, [0, 1, 2], base=1)
    assert "its first frame is number 0 in the annotations" in caplog.text


def test_the_user_says_the_number_of_the_first_frame(tmp_path, write_frames) -> None:
    write_frames(tmp_path, 3)
    assert names(tmp_path, [10, 12], base=1, first=10) == {10: "1", 12: "3"}


@pytest.mark.parametrize("name", ["{}.png", "{}_camera2.png"])
def test_images_without_numbers_of_their_own_count_by_their_order(
    tmp_path, write_frames, name
) -> None:
    for letter in "ab":
        write_frames(tmp_path, 1, name=name.format(letter))
    assert [name[0] for name in names(tmp_path, [1, 2], base=1).values()] == ["a", "b"]


def test_a_picture_amid_frames_moves_none_of_them(tmp_path, write_frames, caplog) -> None:
    write_frames(tmp_path, 5)
    for stray in ("cover.png", "door_4.png"):
        write_frames(tmp_path, 1, name=stray)
    assert names(tmp_path, range(1, 6), base=1) == {1: "1", 2: "2", 3: "3", 5: "5"}
    told = "3 of 7 images left out (without a number of their own in their names): '000004.png'"
    assert told in caplog.text


def test_a_folder_without_images_is_told(tmp_path) -> None:
    with pytest.raises(DataError, match="has no images"):
        frames_by_number(tmp_path, [1])


def test_addresses_of_streams() -> None:
    assert is_stream("rtsp://camera/1")
    assert is_stream("HTTP://host/a.m3u8")
    assert not is_stream("folder/a.mp4")
    assert frames_by_number("rtsp://camera/1", [1, 9])[9] == VideoFrame("rtsp://camera/1", 8)


def test_frames_of_a_video_count_from_the_formats_first(tmp_path, write_video) -> None:
    video = write_video(tmp_path / "street.avi", 3)
    assert frames_by_number(video, [1, 3], base=1) == {
        1: VideoFrame(video, 0),
        3: VideoFrame(video, 2),
    }
    assert frames_by_number(video, [0, 2], base=1)[2] == VideoFrame(video, 2)
    assert frames_by_number(video, [0, 2], base=0)[2] == VideoFrame(video, 2)
    early = frames_by_number(video, range(9), base=1)  # which ends before its annotations
    assert early[0] == VideoFrame(video, 0)


def test_frames_behind_the_end_are_left_to_whoever_reads(tmp_path, write_video) -> None:
    video = write_video(tmp_path / "street.avi", 3)
    assert frames_by_number(video, [1, 9], base=1)[9] == VideoFrame(video, 8)


@pytest.mark.parametrize("name", ["../x.jpg", "a/../../x.jpg", "/etc/x.jpg", "C:\\x.jpg", "..\\x"])
def test_names_that_lead_out_of_the_folder_are_refused(tmp_path, name) -> None:
    with pytest.raises(DataError, match="outside of its folder"):
        below(tmp_path, name, tmp_path / "annotations.json")


def test_names_of_windows_lie_below_the_folder(tmp_path) -> None:
    assert below(tmp_path, "a\\b.jpg", tmp_path) == tmp_path / "a" / "b.jpg"
