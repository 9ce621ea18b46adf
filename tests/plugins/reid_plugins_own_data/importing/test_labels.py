"""Whom crops show, and which camera saw them, as texts of a table."""

from __future__ import annotations

from pathlib import Path

import pytest
from reid_plugins_own_data import Crop
from reid_plugins_own_data.importing.labels import Names, labelled


def crop(**fields) -> Crop:
    return Crop(Path("a.jpg"), **fields)


def pids(*crops: Crop, **options) -> list[str]:
    return [row.pid for row in labelled(crops, **options)]


def test_tracks_of_several_sequences_are_apart_unless_ids_are_shared() -> None:
    crops = [crop(track="7", sequence="a"), crop(track="7", sequence="b")]
    assert pids(*crops) == ["a-7", "b-7"]
    assert pids(*crops, shared_ids=True) == ["7", "7"]
    assert pids(*crops[:1]) == ["7"]


def test_an_identity_is_the_same_in_all_sequences() -> None:
    crops = [crop(pid="anna", track="1", sequence="a"), crop(pid="anna", track="2", sequence="b")]
    assert pids(*crops) == ["anna", "anna"]


def test_identities_of_two_classes_never_share_a_name() -> None:
    crops = [crop(track="7", category="car"), crop(track="7", category="van")]
    assert pids(*crops) == ["car-7", "van-7"]
    assert pids(crop(pid="1", category="car"), crop(pid="2", category="van")) == ["1", "2"]


def test_shared_numbers_of_two_classes_are_two_identities() -> None:
    crops = [crop(track="7", sequence=s, category=c) for s, c in (("a", "car"), ("b", "van"))]
    assert pids(*crops, shared_ids=True) == ["car-7", "van-7"]
    assert pids(*crops) == ["a-7", "b-7"]


def test_names_that_would_meet_are_kept_apart() -> None:
    crops = [crop(track="1-2", sequence="a"), crop(track="2", sequence="a-1")]
    assert pids(*crops) == ["a-1-2", "a-1-2_2"]


def test_the_camera_is_told_by_the_user_the_crop_or_the_sequence() -> None:
    crops = [crop(pid="1", camid="c"), crop(pid="1", sequence="s")]
    assert [row.camid for row in labelled(crops)] == ["c", "s"]
    assert [row.camid for row in labelled(crops, camera="x")] == ["x", "x"]
    assert [row.camid for row in labelled([crop(pid="1")])] == [""]


def test_cameras_that_some_crops_lack_are_unknown_and_told(caplog) -> None:
    rows = labelled([crop(pid="1", camid="c"), crop(pid="1")])
    assert [row.camid for row in rows] == ["c", "unknown"]
    assert "1 of 2 cameras left out (not said: 'unknown' is written)" in caplog.text


@pytest.mark.parametrize(("compared", "second"), [(str, "anna"), (str.casefold, "anna_2")])
def test_a_text_is_given_once(compared, second) -> None:
    names: Names[int] = Names(compared)
    assert [names.of(1, "Anna"), names.of(2, "anna"), names.of(1, "else")] == [
        "Anna",
        second,
        "Anna",
    ]
