"""Where frames usually are, and which of the places has any."""

from __future__ import annotations

import pytest
from reid_plugins_tracks.places import first_with_frames, named_places, usual_places


@pytest.mark.parametrize(
    ("place", "is_shared"),
    [
        ("img1/1.jpg", False),
        ("images/1.jpg", False),
        ("frames/1.jpg", False),
        ("door/img1/1.jpg", True),
        ("door/1.jpg", True),
        ("door.mp4", True),
        ("../door.avi", True),
    ],
)
def test_frames_are_found_in_each_usual_place(tmp_path, place, is_shared) -> None:
    folder = tmp_path.resolve() / "town"
    folder.mkdir()
    file = (folder / place).resolve()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    wanted = file.parent if file.suffix == ".jpg" else file
    assert first_with_frames(usual_places(folder, "door")) == wanted
    assert first_with_frames(usual_places(folder, "door", False)) == (wanted if is_shared else None)


def test_a_folder_without_images_is_none(tmp_path) -> None:
    (tmp_path / "door").mkdir()
    for name in ("notes.txt", "._1.jpg"):
        (tmp_path / "door" / name).touch()
    (tmp_path / "door.mp4").mkdir()
    assert first_with_frames(named_places(tmp_path, "door")) is None


def test_what_is_of_a_sequence_alone_goes_first(tmp_path) -> None:
    for name in ("img1", "door"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.jpg").touch()
    assert first_with_frames(usual_places(tmp_path, "door")) == tmp_path / "img1"
    assert first_with_frames(usual_places(tmp_path, "door", False)) == tmp_path / "door"
