"""COCO's JSON with tracks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from reid_plugins_own_data.crop import VideoFrame
from reid_plugins_own_data.formats.coco import Coco

from reidcore.errors import DataError


def coco(count: int = 2, **changes) -> dict:
    """Return a file with a car and a van in each of so many images."""
    images = [{"id": n + 1, "file_name": f"{n:06d}.png"} for n in range(count)]
    annotations = [
        {"id": 10 * n + c, "image_id": n + 1, "category_id": c, "bbox": [c, 2, 8, 9], "track_id": 7}
        for n in range(count)
        for c in (1, 2)
    ]
    categories = [{"id": 1, "name": "car"}, {"id": 2, "name": "van"}]
    return {"images": images, "annotations": annotations, "categories": categories, **changes}


@pytest.fixture
def export(tmp_path, write_frames):
    """Write a file as tools export it, with frames."""

    def export(content: dict, name: str = "annotations/instances_default.json") -> Path:
        write_frames(tmp_path / "images", 2, first=0)
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content))
        return file

    return export


def test_tracks_of_a_file_have_class_and_frame(export, tmp_path) -> None:
    export(coco())
    assert Coco().recognise(tmp_path).reason == "instances_default.json has images and annotations"
    crops = list(Coco().crops(tmp_path))
    assert [(crop.frame, crop.category, crop.track) for crop in crops] == [
        (0, "car", "7"),
        (0, "van", "7"),
        (1, "car", "7"),
        (1, "van", "7"),
    ]
    assert crops[2].picture == tmp_path / "images" / "000001.png"
    assert (crops[1].box, crops[1].pid, crops[1].sequence) == ((2, 2, 8, 9), "", "")


def test_attributes_may_hold_the_track_and_are_columns(export) -> None:
    content = coco()
    for annotation in content["annotations"]:
        track = annotation.pop("track_id")
        annotation["attributes"] = {"track_id": track, "colour": "red", "keyframe": True}
    crop = next(Coco().crops(export(content)))
    assert (crop.track, crop.further) == ("7", {"colour": "red"})


def test_an_attribute_says_the_identity(export) -> None:
    content = coco()
    for annotation in content["annotations"]:
        annotation["attributes"] = {"plate": f"B-{annotation['category_id']}"}
    crops = list(Coco(identity="plate").crops(export(content)))
    assert {crop.pid for crop in crops} == {"B-1", "B-2"}
    assert {crop.track for crop in crops} == {"7"}
    assert crops[0].further == {}


def test_an_attribute_goes_before_a_key_of_the_annotation(export) -> None:
    content = coco(1)
    for annotation in content["annotations"]:
        annotation["attributes"] = {"id": "tom"}
    assert {crop.pid for crop in Coco(identity="id").crops(export(content))} == {"tom"}


def test_frames_are_numbered_by_the_file_or_by_their_names(export) -> None:
    content = coco()
    content["images"][1]["frame_id"] = 0
    content["images"][0]["file_name"] = "000001.png"
    assert [crop.frame for crop in Coco().crops(export(content))] == [1, 1, 0, 0]


def test_boxes_without_tracks_are_told_with_the_attributes_there_are(export) -> None:
    content = coco()
    for annotation in content["annotations"]:
        del annotation["track_id"]
        annotation["attributes"] = {"colour": "red"}
    with pytest.raises(DataError, match=r"says track_id or instance_id.*=NAME; there are colour"):
        list(Coco().crops(export(content)))


def test_crowds_and_annotations_without_box_or_track_are_counted(export, caplog) -> None:
    caplog.set_level("INFO")
    content = coco()
    crowd, boxless, trackless, _ = content["annotations"]
    crowd["iscrowd"] = 1
    del boxless["bbox"], trackless["track_id"]
    (crop,) = Coco().crops(export(content))
    assert (crop.frame, crop.category) == (1, "van")
    for reason in ("of crowds", "without a box", "without track_id or instance_id"):
        assert f"1 annotation left out ({reason})" in caplog.text


def test_videos_are_sequences_and_folders_are_cameras(export, tmp_path, write_frames) -> None:
    write_frames(tmp_path / "images" / "east", 1, first=0)
    write_frames(tmp_path / "images" / "west", 1, first=0)
    content = coco(videos=[{"id": 5, "name": "monday"}])
    for image, folder in zip(content["images"], ("east", "west"), strict=True):
        image.update(file_name=f"{folder}/000000.png", video_id=5, frame_id=3)
    crops = list(Coco().crops(export(content)))
    assert {(crop.sequence, crop.camid, crop.frame) for crop in crops} == {
        ("monday", "east", 3),
        ("monday", "west", 3),
    }


def test_two_videos_are_not_cut_from_the_same_frames(export) -> None:
    content = coco(videos=[{"id": 5, "name": "east"}, {"id": 6, "name": "west"}])
    for image, video in zip(content["images"], (5, 6), strict=True):
        image.update(file_name=f"{video}.png", video_id=video, frame_id=0)
    with pytest.raises(DataError, match=r"'east' and 'west' would both be cut from '.*images'"):
        list(Coco().crops(export(content, "tracks.json")))


def test_several_files_are_several_sequences(export, tmp_path) -> None:
    second = coco()
    for annotation in second["annotations"]:
        annotation["bbox"] = [5, 5, 6, 7]
    export(coco()), export(second, "annotations/second.json")
    assert {crop.sequence for crop in Coco().crops(tmp_path)} == {"instances_default", "second"}


def test_files_without_tracks_are_left_out_beside_one_with_tracks(export, tmp_path, caplog) -> None:
    caplog.set_level("INFO")
    content = coco()
    export(content), export({**content, "annotations": []}, "annotations/image_info_default.json")
    export(content, "annotations/person_keypoints_default.json")
    crops = list(Coco().crops(tmp_path))
    assert len(crops) == 4
    assert {crop.sequence for crop in crops} == {""}
    assert "1 file left out (their boxes are those of another)" in caplog.text
    assert "person_keypoints_default.json" in caplog.text
    assert "1 file left out (no box says track_id or instance_id)" in caplog.text
    assert "image_info_default.json" in caplog.text


def test_exports_of_one_name_are_sequences_by_their_folders(export, tmp_path, write_frames) -> None:
    for folder in ("east", "west"):
        export(coco(), f"{folder}/annotations/instances_default.json")
        write_frames(tmp_path / folder / "images", 2, first=0)
    crops = list(Coco().crops(tmp_path))
    assert {(crop.sequence, crop.picture.parents[1].name) for crop in crops} == {
        ("east", "east"),
        ("west", "west"),
    }


def test_videos_are_called_by_their_files_and_frames_lie_in_folders_of_them(
    export, tmp_path, write_frames
) -> None:
    write_frames(tmp_path / "train" / "hall-01" / "img1", 2)
    content = coco(videos=[{"id": 5, "file_name": "hall-01"}])
    for number, image in enumerate(content["images"], start=1):
        image.update(file_name=f"hall-01/img1/{number:06d}.png", video_id=5, frame_id=number)
    crops = list(Coco().crops(export(content, "annotations/train.json")))
    assert {(crop.sequence, crop.camid) for crop in crops} == {("hall-01", "hall-01")}
    assert {crop.picture.name for crop in crops} == {"000001.png", "000002.png"}


def test_a_box_outside_of_its_frame_is_none_and_a_visibility_is_no_attribute(
    export, caplog
) -> None:
    caplog.set_level("INFO")
    content = coco(1)
    gone, seen = content["annotations"]
    gone["attributes"] = {"outside": True}
    seen["attributes"] = {"outside": False, "visibility": 0.5}
    (crop,) = Coco().crops(export(content))
    assert (crop.visibility, crop.further) == (0.5, {})
    assert "1 annotation left out (outside of their frames)" in caplog.text


def test_frames_may_be_in_a_video(tmp_path, write_video) -> None:
    video = write_video(tmp_path / "street.avi", 2)
    (tmp_path / "street.json").write_text(json.dumps(coco()))
    crops = list(Coco().crops(tmp_path / "street.json"))
    assert {crop.picture for crop in crops} == {VideoFrame(video, 0), VideoFrame(video, 1)}


def test_images_that_are_not_there_are_counted(export, caplog) -> None:
    assert len(list(Coco().crops(export(coco(3))))) == 4
    assert "1 image left out (named by instances_default.json, and not there)" in caplog.text


def test_no_image_leads_out_of_the_folder(export) -> None:
    content = coco()
    content["images"][0]["file_name"] = "../secret.png"
    with pytest.raises(DataError, match="outside of its folder"):
        list(Coco().crops(export(content)))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"images": [{"file_name": "x"}]}, "is not as COCO's files are: KeyError"),
        ({"images": [{"id": 1, "file_name": "x", "frame_id": "y"}]}, "COCO's files are: ValueErr"),
        ({"annotations": [7]}, "is not as COCO's files are: AttributeError"),
        ({"annotations": [{"image_id": [1]}]}, "is not as COCO's files are: TypeError"),
        ({"annotations": [{"id": 3, "image_id": 99, "bbox": [1, 2, 3, 4]}]}, "no image has the id"),
        ({"annotations": [{"id": 3, "image_id": 1, "bbox": [1, 2]}]}, r"\[1, 2\] is no box"),
        ({"annotations": []}, "no box of"),
    ],
)
def test_a_file_of_another_form_is_told(export, change, told) -> None:
    with pytest.raises(DataError, match=told):
        list(Coco().crops(export(coco(**change))))


def test_other_json_is_not_taken(tmp_path) -> None:
    for name, text in {"a.json": '{"images": []}', "b.json": "", "c.txt": '"annotations"'}.items():
        (tmp_path / name).write_text(text)
        assert Coco().recognise(tmp_path / name) is None
    (tmp_path / "d.json").write_text('{"images": [], "annotations": [')
    with pytest.raises(DataError, match="is no JSON"):
        list(Coco().crops(tmp_path / "d.json"))
    with pytest.raises(DataError, match="no JSON with images and annotations"):
        list(Coco().crops(tmp_path / "a.json"))
