"""Tracks in MOTChallenge's form, with frames or a video."""

from __future__ import annotations

from pathlib import Path

import pytest
from reid_plugins_own_data import VideoFrame
from reid_plugins_own_data.formats.mot import Mot

from reidcore.errors import DataError

TRUTH = """\
1,1,10,5,8,16,1,1,0.9
2,1,11,5,8,16,1,1,0.5
2,2,30,6,9,18,1,1,1
2,3,40,6,9,18,0,8,1
"""


@pytest.fixture
def sequence(tmp_path, write_frames):
    """A sequence with ground truth."""

    def sequence(name: str = "MOT-01", truth: str = TRUTH, count: int = 3) -> Path:
        folder = tmp_path / "train" / name
        write_frames(folder / "img1", count)
        (folder / "gt").mkdir()
        (folder / "gt" / "gt.txt").write_text(truth)
        return folder

    return sequence


def test_ground_truth_says_class_and_visibility(sequence) -> None:
    source = sequence()
    crops = list(Mot().crops(source))
    assert [(crop.track, crop.frame, crop.visibility) for crop in crops] == [
        ("1", 1, 0.9),
        ("1", 2, 0.5),
        ("2", 2, 1.0),
    ]
    assert {(crop.category, crop.sequence, crop.pid) for crop in crops} == {("1", "MOT-01", "")}
    assert crops[0].box == (10, 5, 8, 16)
    assert crops[2].picture == source / "img1" / "000002.png"


def test_boxes_that_count_from_1_are_moved(sequence) -> None:
    assert next(Mot(first_pixel=1).crops(sequence())).box == (9, 4, 8, 16)


def test_lines_that_comment_are_no_rows(sequence) -> None:
    folder = sequence(truth="# frame_id, track_id, x, y, w, h\n\n" + TRUTH)
    assert Mot().recognise(folder / "gt" / "gt.txt") is not None
    assert len(list(Mot().crops(folder))) == 3


def test_rows_to_be_ignored_are_counted(sequence, caplog) -> None:
    caplog.set_level("INFO")
    list(Mot().crops(sequence()))
    assert "1 of 4 rows left out (marked to be ignored)" in caplog.text


def test_several_sequences_are_found_below(sequence, tmp_path) -> None:
    sequence("MOT-01"), sequence("MOT-02", TRUTH.replace("1,1,10", "1,1,12"))
    assert Mot().recognise(tmp_path).reason == "it has 2 sequences with rows of frame, id and box"
    assert {crop.sequence for crop in Mot().crops(tmp_path)} == {"MOT-01", "MOT-02"}


def test_copies_of_a_sequence_are_left_out(sequence, tmp_path, caplog) -> None:
    sequence("MOT-01-DPM"), sequence("MOT-01-SDP")
    assert len(list(Mot().crops(tmp_path))) == 3
    assert "1 sequence left out (their rows are those of another one): 'MOT-01-SDP'" in caplog.text


def test_a_file_of_labels_names_the_classes(sequence) -> None:
    folder = sequence()
    (folder / "gt" / "labels.txt").write_text("car\nvan\n")
    assert {crop.category for crop in Mot().crops(folder)} == {"car"}


def test_seqinfo_says_where_the_images_are(sequence) -> None:
    folder = sequence()
    (folder / "img1").rename(folder / "pictures")
    (folder / "seqinfo.ini").write_text("[Sequence]\nname=x\nimDir=pictures\n")
    assert next(Mot().crops(folder)).picture.parent.name == "pictures"
    (folder / "seqinfo.ini").write_text("[Sequence]\nimDir=../../elsewhere\n")
    with pytest.raises(DataError, match="names a file outside of its folder"):
        list(Mot().crops(folder))


def test_tracks_lie_beside_a_video_of_their_name(tmp_path, write_video) -> None:
    video = write_video(tmp_path / "street.avi", 4)
    tracks = tmp_path / "street.txt"
    tracks.write_text("1,7,1,2,3,4,0.5,-1,-1,-1\n4,7,1.5,2,3,4,1,-1,-1,-1\n")
    assert Mot().recognise(tracks).is_sure
    first, last = Mot().crops(tracks)
    assert (first.picture, last.picture) == (VideoFrame(video, 0), VideoFrame(video, 3))
    assert (first.track, first.category, first.visibility) == ("7", "", None)
    assert first.further == {"confidence": "0.5"}
    (sure,) = Mot(min_confidence=0.6).crops(tracks)
    assert sure.frame == 4


def test_frames_named_by_the_user_come_first(sequence, tmp_path, write_frames) -> None:
    sequence("a"), sequence("b", TRUTH + "3,4,1,1,5,5,1,1,1\n")
    for name in "ab":
        write_frames(tmp_path / "frames" / name, 3)
    crops = Mot(frames=str(tmp_path / "frames")).crops(tmp_path)
    assert {crop.picture.parent for crop in crops} == {tmp_path / "frames" / n for n in "ab"}


def test_one_folder_of_frames_is_not_that_of_two_sequences(sequence, tmp_path) -> None:
    folder = sequence("a")
    sequence("b", TRUTH + "3,4,1,1,5,5,1,1,1\n")
    with pytest.raises(DataError, match=r"frames of 'a' are not found; looked .*img1/a'"):
        list(Mot(frames=str(folder / "img1")).crops(tmp_path))
    assert len(list(Mot(frames=str(folder / "img1")).crops(folder))) == 3


@pytest.mark.parametrize(("frames", "without"), [("a.avi", "b"), ("images", "a")])
def test_two_files_of_tracks_are_not_cut_from_the_same_frames(
    tmp_path, write_video, write_frames, frames, without
) -> None:
    for name, row in {"a": "1,7,1,2,3,4\n", "b": "1,8,1,2,3,4\n"}.items():
        (tmp_path / f"{name}.txt").write_text(row)
    if frames == "images":
        write_frames(tmp_path / frames, 2)
    else:
        write_video(tmp_path / frames, 2)
    with pytest.raises(DataError, match=f"the frames of '{without}' are not found"):
        list(Mot().crops(tmp_path))
    assert len(list(Mot().crops(tmp_path / "a.txt"))) == 1


def test_frames_that_are_not_there_are_told_with_the_places(sequence) -> None:
    folder = sequence()
    (folder / "img1").rename(folder / "elsewhere")
    with pytest.raises(DataError, match=r"frames of 'MOT-01' are not found.*img1.*frames=FOLDER"):
        list(Mot().crops(folder))


def test_rows_that_are_wrong_are_told_by_line(sequence) -> None:
    folder = sequence(truth=TRUTH + "1,a,2,3,4,5\n")
    with pytest.raises(DataError, match=r"1 row of .*gt.txt' cannot be read: line 5 has 'a' as id"):
        list(Mot().crops(folder))


def test_rows_of_no_track_and_second_boxes_of_one_are_left_out(
    tmp_path, write_video, caplog
) -> None:
    write_video(tmp_path / "a.avi", 2)
    rows = "1,4,1,2,3,4\n1,-1,1,2,3,4\n1,4,9,9,3,4\n2,4,1,2,3,4\n2,-1,5,5,3,4\n"
    (tmp_path / "a.txt").write_text(rows)
    found = [(crop.frame, crop.track, crop.box) for crop in Mot().crops(tmp_path / "a.txt")]
    assert found == [(1, "4", (1, 2, 3, 4)), (2, "4", (1, 2, 3, 4))]
    rows = str(tmp_path / "a.txt")
    assert f"2 of 5 rows left out (of no track): '{rows}:2', '{rows}:5'" in caplog.text
    assert (
        f"1 of 3 rows left out (a second box of one track in one frame): '{rows}:3'" in caplog.text
    )


def test_ground_truth_of_2015_has_ten_columns(sequence) -> None:
    folder = sequence(truth="1,1,10,5,8,16,1,-1,-1,-1\n1,2,10,5,8,16,0,-1,-1,-1\n")
    (crop,) = Mot().crops(folder)
    assert (crop.track, crop.category, crop.visibility, crop.further) == ("1", "", None, {})


def test_detections_without_tracks_are_told(tmp_path, write_video) -> None:
    write_video(tmp_path / "det.avi", 2)
    (tmp_path / "det.txt").write_text("1,-1,1,2,3,4,0.5\n2,-1,1,2,3,4,0.5\n")
    told = r"detections, not tracks: all ids are negative\. Run a tracker"
    with pytest.raises(DataError, match=told):
        list(Mot().crops(tmp_path / "det.txt"))


def test_other_texts_are_not_taken(tmp_path) -> None:
    (tmp_path / "notes.txt").write_text("to be done\n")
    assert Mot().recognise(tmp_path / "notes.txt") is None
    assert Mot().recognise(tmp_path) is None
    with pytest.raises(DataError, match="no sequence with"):
        list(Mot().crops(tmp_path))
    with pytest.raises(DataError, match=r"notes.txt' cannot be read: line 1 has 3 columns"):
        list(Mot().crops(tmp_path / "notes.txt"))
