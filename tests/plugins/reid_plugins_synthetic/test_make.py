"""The synthetic dataset on disk: its layout, its bytes, and where it may be written."""

import os
import re
import subprocess
import sys
from collections import Counter

import pytest
from PIL import Image
from reid_plugins_synthetic import make
from reid_plugins_synthetic.dataset import synthetic
from reid_plugins_synthetic.make import MARKER, make_synthetic

from reid_plugins_datasets.people.market1501 import market1501
from reidcore.data import LabelNames, SampleTable, init_image_dataset
from reidcore.errors import DataError, UserError

TINY = {"train_ids": 3, "test_ids": 2, "cameras": 3, "images_per_camera": 2}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    directory = tmp_path_factory.mktemp("synthetic") / "tiny"
    make_synthetic(directory, **TINY)
    return directory


def test_the_summary_counts_what_is_there(tmp_path):
    summary = make_synthetic(tmp_path / "new", **TINY)
    assert summary.created
    assert (summary.train, summary.query) == (3 * 3 * 2, 2 * 3)
    for folder, count in (
        ("bounding_box_train", summary.train),
        ("query", summary.query),
        ("bounding_box_test", summary.gallery),
    ):
        assert len(list((tmp_path / "new" / folder).iterdir())) == count


def test_names_have_the_form_of_market1501(tiny):
    names = [path.name for path in tiny.rglob("*.jpg")]
    form = re.compile(r"(-1|\d{4})_c[1-6]s1_\d{6}_0[01]\.jpg")
    assert len(names) == 40
    assert all(form.fullmatch(name) for name in names)


def test_the_market1501_reader_reads_it(tiny):
    dataset = market1501(tiny)
    assert len(dataset.train) == 18
    assert {s.camid for s in dataset.gallery} <= {0, 1, 2}
    with Image.open(dataset.train[0].path) as image:
        assert image.size == (64, 128)


def test_people_of_the_test_are_never_learnt_from(tiny):
    dataset = market1501(tiny)
    ids = {folder: {p.name.split("_")[0] for p in (tiny / folder).iterdir()}
           for folder in ("bounding_box_train", "query", "bounding_box_test")}  # fmt: skip
    assert not ids["bounding_box_train"] & (ids["query"] | ids["bounding_box_test"])
    assert ids["query"] == ids["bounding_box_test"] - {"0000", "-1"}
    assert {"0000", "-1"} <= ids["bounding_box_test"]
    assert -1 not in SampleTable.of(dataset.gallery).pids


def test_each_person_is_seen_by_each_camera_as_often_as_asked(tiny):
    seen = Counter(p.name[:7] for p in (tiny / "bounding_box_train").iterdir())
    assert set(seen.values()) == {2}
    assert len(seen) == 3 * 3


def test_the_same_settings_give_the_same_bytes_in_any_process(digest, tiny, tmp_path):
    code = f"from reid_plugins_synthetic.make import make_synthetic as m; m('d', **{TINY})"
    path = os.pathsep.join(filter(None, [os.getcwd(), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONHASHSEED": "77", "PYTHONPATH": path}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True)
    assert digest(tmp_path / "d") == digest(tiny)


def test_another_seed_gives_other_pictures(digest, tiny, tmp_path):
    make_synthetic(tmp_path / "other", **TINY, seed=1)
    assert digest(tmp_path / "other") != digest(tiny)


def test_no_picture_repeats_another(tiny):
    pictures = [path.read_bytes() for path in tiny.rglob("*.jpg")]
    assert len(set(pictures)) == len(pictures)


def test_what_is_there_already_is_left_alone(tiny):
    before = {path: path.stat().st_mtime_ns for path in tiny.rglob("*")}
    assert not make_synthetic(tiny, **TINY).created
    assert {path: path.stat().st_mtime_ns for path in tiny.rglob("*")} == before


def test_other_settings_do_not_overwrite(tiny):
    with pytest.raises(DataError, match="other settings"):
        make_synthetic(tiny, **{**TINY, "train_ids": 4})


def test_a_foreign_folder_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(DataError, match="not empty"):
        make_synthetic(tmp_path, **TINY)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "empty").mkdir()
    assert make_synthetic(tmp_path / "empty", **TINY).created


def test_an_interrupted_run_leaves_nothing(tmp_path, monkeypatch):
    taken = []

    def interrupted(renderer, shot):
        taken.append(shot)
        if len(taken) == 5:
            raise KeyboardInterrupt
        return make.Image.new("RGB", (4, 4))

    monkeypatch.setattr(make, "_taken", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make_synthetic(tmp_path / "data" / "half", **TINY)
    assert list((tmp_path / "data").iterdir()) == []


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="file"):
        make_synthetic(tmp_path / "file" / "data", **TINY)


@pytest.mark.parametrize(
    "option",
    [{"train_ids": -1}, {"test_ids": 1501}, {"cameras": 1}, {"cameras": 7},
     {"images_per_camera": 0}, {"height": 4}, {"width": 0}],
)  # fmt: skip
def test_a_setting_out_of_range_is_told_by_name(tmp_path, option):
    with pytest.raises(DataError, match=next(iter(option))):
        make_synthetic(tmp_path / "data", **{**TINY, **option})
    assert not (tmp_path / "data").exists()


def test_sizes_are_kept(tmp_path):
    summary = make_synthetic(tmp_path / "large", **{**TINY, "train_ids": 1}, height=96, width=40)
    with make.Image.open(next((summary.directory / "query").iterdir())) as picture:
        assert picture.size == (40, 96)


def test_the_registered_dataset_draws_once_and_finds_it_again(tmp_path):
    first = init_image_dataset("synthetic", root=tmp_path, **TINY)
    stamps = [path.stat().st_mtime_ns for path in sorted(tmp_path.rglob("*.jpg"))]
    again = init_image_dataset("synthetic", root=tmp_path, **TINY)
    assert list(first.query) == list(again.query)
    assert [path.stat().st_mtime_ns for path in sorted(tmp_path.rglob("*.jpg"))] == stamps
    assert all(path.is_relative_to(tmp_path / "synthetic") for path in tmp_path.rglob("*.jpg"))


def test_different_settings_live_side_by_side(tmp_path):
    synthetic(tmp_path, **TINY)
    other = synthetic(tmp_path, **{**TINY, "seed": 3})
    assert len(list((tmp_path / "synthetic").iterdir())) == 2
    assert "seed3" in other.train[0].path


@pytest.mark.parametrize("below", ["", "synthetic"])
def test_a_folder_made_by_hand_is_read_from_the_root(tmp_path, below):
    make_synthetic(tmp_path / below / "", **TINY)
    assert len(synthetic(tmp_path).train) == 18
    with pytest.raises(DataError, match="train_ids=3"):
        synthetic(tmp_path, train_ids=9)


def test_a_spoilt_marker_is_told(tmp_path):
    (tmp_path / MARKER).write_text("{}")
    with pytest.raises(DataError, match="marker"):
        synthetic(tmp_path)


def test_cameras_are_called_as_the_files_number_them(tiny):
    query = init_image_dataset("synthetic", root=tiny, verbose=False).query
    names = LabelNames.of(query)
    path, _, camid, *_ = query[0]
    assert f"_c{names.camid(camid)}s" in path
