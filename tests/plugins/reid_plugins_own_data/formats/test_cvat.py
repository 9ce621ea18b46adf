"""CVAT's XML."""

from __future__ import annotations

from pathlib import Path

import pytest
from reid_plugins_own_data.crop import VideoFrame
from reid_plugins_own_data.formats.cvat import Cvat

from reidcore.errors import DataError

HEAD = '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n'
META = "<meta><task><source>street.avi</source></task></meta>"
BOX = '<box frame="{}" outside="{}" occluded="1" xtl="10.5" ytl="5" xbr="20.5" ybr="25">{}</box>'
RED = '<attribute name="colour">red</attribute>'


def tracks(*shapes: str, meta: str = META) -> str:
    return f'{HEAD}{meta}<track id="3" label="car">{"".join(shapes)}</track></annotations>'


@pytest.fixture
def task(tmp_path, write_video):
    """Write a task's export beside its video."""
    folder = tmp_path / "task_7"
    write_video(folder / "street.avi", 4)

    def task(text: str, name: str = "annotations.xml") -> Path:
        (folder / name).write_text(text, encoding="utf-8")
        return folder

    return task


def test_boxes_of_tracks_are_of_frames_of_the_tasks_video(task) -> None:
    folder = task(tracks(BOX.format(0, 0, RED), BOX.format(2, 0, ""), BOX.format(3, 1, "")))
    assert Cvat().recognise(folder).reason == "annotations.xml is CVAT's"
    first, second = Cvat().crops(folder)
    assert first.picture == VideoFrame(folder / "street.avi", 0)
    assert second.picture == VideoFrame(folder / "street.avi", 2)
    assert first.box == (10.5, 5, 10, 20)
    assert (first.track, first.category, first.frame, first.pid) == ("3", "car", 0, "")
    assert first.further == {"occluded": "1", "colour": "red"}
    assert first.sequence == "task_7"


def test_frames_may_be_images(task, tmp_path, write_frames) -> None:
    write_frames(tmp_path / "task_7" / "images", 3, first=0, name="frame_{:06d}.png")
    folder = task(tracks(BOX.format(2, 0, ""), meta=""), "east.xml")
    (crop,) = Cvat().crops(folder)
    assert (crop.picture.name, crop.sequence) == ("frame_000002.png", "east")


def test_two_files_are_cut_from_the_same_frames_where_both_name_the_video(
    task, tmp_path, write_frames
) -> None:
    for name in ("east.xml", "west.xml"):
        folder = task(tracks(BOX.format(2, 0, "")), name)
    assert {crop.sequence for crop in Cvat().crops(folder)} == {"east", "west"}
    write_frames(folder / "images", 3, first=0)
    for name in ("east.xml", "west.xml"):
        task(tracks(BOX.format(2, 0, ""), meta=""), name)
    with pytest.raises(DataError, match=r"east.xml' and '.*west.xml' would both be cut from"):
        list(Cvat().crops(folder))


def test_boxes_of_images_say_the_identity_by_an_attribute(task, tmp_path, write_frames) -> None:
    write_frames(tmp_path / "task_7" / "images" / "north", 1, name="{:02d}.png")
    box = '<box label="cat" xtl="1" ytl="2" xbr="9" ybr="12">{}</box>'
    identity = '<attribute name="{}">tom</attribute>'
    image = '<image id="0" name="north/01.png" width="64" height="48">{}</image></annotations>'
    folder = task(HEAD + image.format(box.format(identity.format("track_id")) + box.format("")))
    (crop,) = Cvat().crops(folder)
    assert (crop.pid, crop.camid, crop.category) == ("tom", "north", "cat")
    assert (crop.box, crop.further["occluded"]) == ((1, 2, 8, 10), "")
    assert "track_id" not in crop.further
    task(HEAD + image.format(box.format(identity.format("name"))))
    with pytest.raises(DataError, match=r"identity=NAME; there are name"):
        list(Cvat().crops(folder))
    assert next(Cvat(identity="name").crops(folder)).pid == "tom"


def test_shapes_that_are_no_upright_boxes_are_counted(task, caplog) -> None:
    turned = BOX.format(1, 0, "").replace("<box", '<box rotation="30"')
    folder = task(tracks(BOX.format(0, 0, ""), turned, '<polygon frame="1" points="1,2"/>'))
    assert len(list(Cvat().crops(folder))) == 1
    assert "1 shape left out (boxes that are turned)" in caplog.text
    assert "1 shape left out (polygon, no boxes)" in caplog.text


def test_a_document_type_is_refused_before_anything_of_it_is_expanded(task) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    for text in (HEAD.replace("\n<ann", f"\n{bomb}<ann") + "&b;</annotations>", bomb + tracks()):
        with pytest.raises(DataError, match="declares a document type"):
            list(Cvat().crops(task(text)))


def test_tracks_of_several_tasks_are_refused_for_their_frames_are_numbered_alike(task) -> None:
    track = '<track id="{}" label="car" task_id="{}">' + BOX.format(0, 0, "") + "</track>"
    of_one = "".join(track.format(number, 8) for number in (0, 1))
    assert len(list(Cvat().crops(task(f"{HEAD}{META}{of_one}</annotations>")))) == 2
    with pytest.raises(
        DataError, match=r"tracks of the tasks 8 and 9.*Export its tasks one by one"
    ):
        list(Cvat().crops(task(f"{HEAD}{META}{of_one}{track.format(2, 9)}</annotations>")))


def test_entities_from_elsewhere_are_not_read(task) -> None:
    outside = '<!DOCTYPE x SYSTEM "file:///etc/hostname">'
    with pytest.raises(DataError, match="declares a document type"):
        list(Cvat().crops(task(outside + tracks(BOX.format(0, 0, "")))))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (tracks()[:-9], "is damaged"),
        (tracks(BOX.format(0, 0, "").replace("xtl", "x")), r"line 4 of .*KeyError\('xtl'\)"),
        (tracks(BOX.format("first", 0, "")), "line 4 of .*is not as CVAT writes it"),
        (tracks(), "no box of"),
    ],
)
def test_damaged_files_are_told(task, text, told) -> None:
    with pytest.raises(DataError, match=told):
        list(Cvat().crops(task(text)))


def test_other_xml_is_not_taken(tmp_path) -> None:
    (tmp_path / "x.xml").write_text("<annotation><object/></annotation>")
    assert Cvat().recognise(tmp_path) is None
    with pytest.raises(DataError, match="no XML file of CVAT's"):
        list(Cvat().crops(tmp_path))
