"""``reidcore data import`` as users run it."""

from __future__ import annotations

import json
from functools import partial

import pytest

from tests.program import Program


@pytest.fixture
def here(here: Program) -> Program:
    """Run ``reidcore data import`` in an empty folder."""
    return partial(here, "data", "import")


@pytest.fixture
def photos(draw) -> None:
    """Three cats, one of which is seen once, in the folder ``source``."""
    names = [f"{cat}/cam{camera}/{n}.jpg" for cat in "ab" for camera in (1, 2) for n in (1, 2)]
    draw([*names, "c/cam1/1.jpg"])


@pytest.fixture
def street(draw, tmp_path) -> None:
    """A car and a van in frames, with tracks, in the folder ``source``."""
    draw([f"img1/{n:03d}.png" for n in range(1, 7)], size=(64, 48))
    (tmp_path / "source/gt").mkdir()
    rows = [f"{n},{c},{9 * c},{n},{10 + n},20,1,{c},0.{n}" for n in range(1, 7) for c in (1, 2)]
    (tmp_path / "source/gt/gt.txt").write_text("\n".join(rows))
    (tmp_path / "source/gt/labels.txt").write_text("car\nvan")


@pytest.mark.usefixtures("photos")
def test_photos_become_a_dataset_and_all_of_it_is_told(here) -> None:
    ended = here("source", "mine")
    assert (ended.code, ended.err) == (0, "")
    first, *table, single, written, _, _, command = ended.out.splitlines()
    assert first == "Read as folders: 'a/cam1/1.jpg' is identity 'a', camera '1'"
    assert [line.split() for line in table] == [
        ["class", "identities", "images", "cameras"],
        ["all", "3", "9", "2"],
    ]
    assert single == "1 identity with one image: 'c'"
    assert written == "9 images written to mine"
    assert command.strip() == "reidcore data split mine"


@pytest.mark.usefixtures("photos")
def test_a_command_that_is_a_step_of_another_names_no_next_one(here, monkeypatch) -> None:
    monkeypatch.setenv("REIDCORE_STEP", "1")
    assert here("source", "mine").out.splitlines()[-1] == "9 images written to mine"


@pytest.mark.usefixtures("street")
def test_tracks_are_cut_as_the_options_say(here, tmp_path) -> None:
    ended = here(
        *("source", "mine", "first_pixel=1", "--every", "2", "--min-visibility", "0.3"),
        *("--min-size", "14x20", "--margin", "0.1", "--camera", "east", "--files", "png"),
    )
    assert ended.code == 0, ended.err
    told = ended.out.splitlines()
    assert told[0] == "Read as mot: gt.txt has rows of frame, id and box"
    assert [line.split() for line in told[2:5]] == [
        ["car", "1", "2", "1"],
        ["van", "1", "2", "1"],
        ["all", "2", "4", "1"],
    ]
    assert "4 crops left out (visible to less than 0.3): " in ended.out
    assert "2 crops left out (smaller than 14x20 pixels): " in ended.out
    assert "2 crops left out (of frames between those that are wanted): " in ended.out
    assert "All images are of one camera, 'east'" in ended.out
    lines = (tmp_path / "mine/labels.csv").read_text().splitlines()
    assert lines[0] == "path,pid,camid,split,class,sequence,frame,track,visibility"
    assert lines[1] == "images/1/source_east_000004.png,1,east,train,car,source,4,1,0.4"


@pytest.mark.usefixtures("street")
def test_one_class_alone_is_imported_when_it_is_asked_for(here, tmp_path) -> None:
    ended = here("source", "mine", "--classes", "van", "--json")
    assert "Read as mot" in ended.err
    record = json.loads(ended.out)
    assert [*record["counts"]["classes"]] == ["van"]
    assert record == json.loads((tmp_path / "mine/import.json").read_text())


@pytest.mark.usefixtures("photos")
def test_mistakes_end_with_exit_code_2_and_the_next_step(here, tmp_path) -> None:
    (tmp_path / "people.csv").write_text("path,pid\n1.jpg,7\n")
    for words, told in {
        ("nothing", "mine"): "there is no file or folder 'nothing'",
        ("source", "source/mine"): "lie in one another",
        ("source", "mine", "--format", "folder"): "Did you mean 'folders'?",
        ("source", "mine", "pattern"): "'pattern' is no OPTION=VALUE",
        ("source", "mine", "--min-size", "8x"): "'8x' is no size",
        ("source", "mine", "--min-size", "0"): "'0' is no size",
        ("source", "mine", "--classes", "cat"): "the source has no class 'cat'",
        ("source", "mine", "--format", "mot", "first_frame=one"): "first_frame",
        ("source", "mine", "pattern=(?P<who>x)"): "lacks a group pid",
        ("people.csv", "mine"): "A table of images needs no import: reidcore data split people.csv",
    }.items():
        ended = here(*words)
        assert ended.code == 2, words
        assert told in ended.err


@pytest.mark.usefixtures("photos")
def test_the_folder_that_the_user_is_in_is_not_taken_away(here, tmp_path, monkeypatch) -> None:
    (tmp_path / "mine" / "deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "mine" / "deep")
    for target in (".", ".."):
        ended = here("../../source", target)
        assert ended.code == 2
        assert "is the folder that you are in" in ended.err
    assert here("../../source", "new").code == 0


@pytest.mark.usefixtures("photos")
def test_the_next_command_runs_where_the_source_says_its_splits(here, draw) -> None:
    names = [f"{split}/000{n}_c{n}_0.jpg" for split in ("query", "gallery") for n in (1, 2)]
    draw(["train/0007_c1_0.jpg", *names], folder="shop")
    assert here("shop", "mine").out.splitlines()[-1].strip() == (
        "reidcore run quickstart -s csv -t csv --root mine csv.file=labels.csv"
    )
    draw(["train/0007_c1_0.jpg", "train/0008_c1_0.jpg", "query/0009_c1_0.jpg"], folder="part")
    assert here("part", "half").out.splitlines()[-1].strip() == "reidcore data split half"


def test_identities_that_no_two_cameras_share_are_told(here, draw) -> None:
    draw(["cam1/0001/1.jpg", "cam1/0001/2.jpg", "cam2/0002/1.jpg", "cam2/0003/1.jpg"])
    assert "No identity is seen by two cameras (--shared-ids, " in here("source", "mine").out


def test_a_folder_of_images_that_is_taken_for_an_identity_is_told(here, draw) -> None:
    draw([f"JPEGImages/{n}.jpg" for n in (1, 2)])
    told = here("source", "mine").out
    assert "one identity alone, 'JPEGImages': nobody to tell it from. If it is none, say" in told
    assert "Next:" not in told


@pytest.mark.usefixtures("street")
def test_a_track_whose_class_changes_is_told(here, tmp_path) -> None:
    truth = tmp_path / "source/gt/gt.txt"
    truth.write_text(truth.read_text().replace(",1,1,0.6", ",1,2,0.6"))
    told = "1 track of several classes, in each of which it is an identity of its own: 'source 1'"
    assert told in here("source", "mine").out
