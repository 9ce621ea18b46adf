"""Trees of images whose names say whom they show."""

from __future__ import annotations

import pytest
from reid_plugins_own_data.formats.folders import Folders

from reidcore.errors import DataError


def told(importer: Folders, source) -> list[tuple[str, str, str, str]]:
    crops = importer.crops(source)
    return sorted((crop.picture.name, crop.pid, crop.camid, crop.split) for crop in crops)


def test_folders_of_identities_have_no_cameras(draw) -> None:
    source = draw(["anna/1.jpg", "anna/2.jpg", "ben/1.png"])
    assert Folders().recognise(source).reason == "'anna/1.jpg' is identity 'anna', camera unknown"
    assert told(Folders(), source) == [
        ("1.jpg", "anna", "", ""),
        ("1.png", "ben", "", ""),
        ("2.jpg", "anna", "", ""),
    ]


@pytest.mark.parametrize("name", ["{pid}/cam{cam}/{n}.jpg", "cam{cam}/{pid}/{n}.jpg"])
def test_folders_of_cameras_lie_within_or_around_those_of_identities(draw, name) -> None:
    numbers = [(pid, cam, n) for pid in ("anna", "ben") for cam in (1, 2) for n in (0, 1)]
    source = draw([name.format(pid=pid, cam=cam, n=n) for pid, cam, n in numbers])
    assert told(Folders(), source) == sorted((f"{n}.jpg", p, str(c), "") for p, c, n in numbers)


def test_the_layout_of_market1501_says_the_splits(draw) -> None:
    folders = ("bounding_box_train", "query", "bounding_box_test")
    names = [f"{folder}/000{n}_c1s1_0_0.jpg" for n, folder in enumerate(folders)]
    source = draw([*names, "bounding_box_test/-1_c2s1_0_0.jpg", "extra/0007_c1.jpg"])
    assert told(Folders(), source) == [
        ("0000_c1s1_0_0.jpg", "0", "1", "train"),
        ("0001_c1s1_0_0.jpg", "1", "1", "query"),
        ("0002_c1s1_0_0.jpg", "2", "1", "gallery"),
    ]


def test_what_lies_beside_the_splits_is_told(draw, caplog) -> None:
    names = [f"{folder}/0001_c1_{folder}.jpg" for folder in ("train", "query", "gallery", "val")]
    list(Folders().crops(draw(names)))
    assert "1 folder left out (with images, beside the folders of the splits)" in caplog.text


def test_a_pattern_says_more_than_whom_and_where(draw) -> None:
    pattern = r"(?P<class>[a-z]+)_(?P<camid>\w)-(?P<pid>\d+)-t(?P<track>\d+)-(?P<frame>\d+)"
    importer = Folders(pattern)
    source = draw(["car_a-7-t3-0012.jpg", "car_b-7-t4-x.jpg"])
    assert "the pattern" in importer.recognise(source).reason
    (crop,) = importer.crops(source)
    assert (crop.category, crop.pid, crop.camid) == ("car", "7", "a")
    assert (crop.track, crop.frame, crop.sequence) == ("3", 12, "")


def test_names_that_say_nothing_are_told_with_a_pattern(draw) -> None:
    source = draw(["holiday.jpg", "garden.jpg"])
    assert Folders().recognise(source) is None
    with pytest.raises(DataError, match=r"do not say whom.*Give a pattern, such as pattern="):
        list(Folders().crops(source))
