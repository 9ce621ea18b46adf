"""Finding cameras, their tracks and their frames."""

from __future__ import annotations

import pytest
from reid_plugins_link.cameras import TRUTH, find_cameras, find_files

from reidcore.errors import DataError, UserError

ROW = (1, 1, 0, 0, 5, 5)


@pytest.fixture
def town(mot, tmp_path):
    for name in ("hall", "street"):
        mot(tmp_path / "town" / name / "tracks.txt", ROW)
        mot(tmp_path / "town" / name / "gt" / "gt.txt", ROW)
        (tmp_path / "town" / name / "img1").mkdir()
        (tmp_path / "town" / name / "img1" / "000001.jpg").touch()
    info = "[Sequence]\nframeRate=25\nimDir=img1\n"
    (tmp_path / "town" / "hall" / "seqinfo.ini").write_text(info)
    (tmp_path / "town" / "scene.yaml").touch()
    return tmp_path / "town"


def test_a_folder_of_motchallenge_folders_is_all_their_cameras(town) -> None:
    hall, street = find_cameras([str(town)])
    assert (hall.name, hall.fps, hall.frames) == ("hall", 25.0, town / "hall" / "img1")
    assert (street.name, street.fps) == ("street", None)
    assert find_files([str(town)], TRUTH)["hall"] == town / "hall" / "gt" / "gt.txt"


def test_files_are_called_by_themselves_or_by_their_folder(mot, tmp_path) -> None:
    paths = [mot(tmp_path / "door.txt", ROW), mot(tmp_path / "yard" / "gt" / "gt.txt", ROW)]
    assert [camera.name for camera in find_cameras([*map(str, paths)])] == ["door", "yard"]
    named = find_cameras([f"b={paths[0]}", f"a={paths[1]}"])
    assert [camera.name for camera in named] == ["a", "b"]


def test_frames_are_found_beside_a_file_or_named(mot, tmp_path) -> None:
    words = [str(mot(tmp_path / name, ROW)) for name in ("door.txt", "gate.txt", "yard.txt")]
    (tmp_path / "door.mp4").touch()
    (tmp_path / "gate").mkdir()
    (tmp_path / "gate" / "1.jpg").touch()
    (tmp_path / "elsewhere.avi").touch()
    found = find_cameras(words, [f"yard={tmp_path / 'elsewhere.avi'}"])
    places = [tmp_path / name for name in ("door.mp4", "gate", "elsewhere.avi")]
    assert [camera.frames for camera in found] == places


def test_frames_without_a_name_are_of_a_camera_alone_in_its_folder(mot, tmp_path) -> None:
    words = [str(mot(tmp_path / name, ROW)) for name in ("a/door.txt", "b/gate.txt", "b/yard.txt")]
    for place in ("a/images", "b/img1"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "1.jpg").touch()
    found = find_cameras(words)
    assert [camera.frames for camera in found] == [tmp_path / "a" / "images", None, None]


def test_two_files_of_one_camera_are_refused(mot, tmp_path) -> None:
    words = [str(mot(tmp_path / name / "door.txt", ROW)) for name in ("day", "night")]
    with pytest.raises(UserError, match=r"both of the camera 'door'. Join them"):
        find_cameras(words)


@pytest.mark.parametrize("name", ["../hall", "a/b", "..", "a\\b"])
def test_a_camera_has_a_name_that_a_file_can_have(mot, tmp_path, name) -> None:
    path = mot(tmp_path / "door.txt", ROW)
    with pytest.raises(UserError, match="files are named after cameras"):
        find_cameras([f"{name}={path}", str(path)])


def test_one_camera_is_not_enough(mot, tmp_path) -> None:
    with pytest.raises(UserError, match="one camera alone, 'door'"):
        find_cameras([str(mot(tmp_path / "door.txt", ROW))])


def test_what_is_not_there_is_told(town, tmp_path) -> None:
    with pytest.raises(DataError, match="no file or folder"):
        find_cameras([str(tmp_path / "nowhere")])
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"holds no tracks\.txt"):
        find_cameras([str(tmp_path / "empty")])
    with pytest.raises(UserError, match=r"'hal', of .* Did you mean 'hall'"):
        find_cameras([str(town)], [f"hal={town}"])
    with pytest.raises(DataError, match="no frames"):
        find_cameras([str(town)], [f"hall={town / 'none.mp4'}"])
    with pytest.raises(UserError, match="2 cameras, which cannot all be 'a'"):
        find_cameras([f"a={town}"])
