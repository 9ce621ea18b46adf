"""What the names of files and the lists beside them say further, as columns of the tables."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from reidcore.data import SampleTable, init_image_dataset, init_video_dataset
from reidcore.errors import DataError

SPLITS = ("train", "query", "gallery")

# Dataset -> column -> where the name of the file says it.
IN_NAMES = {
    "market1501": {"sequence": r"s(\d)_", "frame": r"_(\d{6})_"},
    "dukemtmcreid": {"frame": r"_f(\d+)"},
    "occluded_duke": {"frame": r"_f(\d+)"},
    "veri": {"frame": r"_(\d{8})_"},
}
# Dataset of tracklets -> where the name of the first frame says the column frame.
IN_FIRST_FRAMES = {
    "dukemtmcvidreid": r"X(\d+)",
    "ilidsvid": r"_(\d+)\.png",
    "prid2011": r"(\d+)\.png",
}


def tables_of(dataset):
    return {split: SampleTable.of(getattr(dataset, split)) for split in SPLITS}


@pytest.mark.parametrize("name", IN_NAMES)
def test_columns_are_what_the_names_say(name, planted):
    for table in tables_of(init_image_dataset(name, root=planted(name).root)).values():
        for column, pattern in IN_NAMES[name].items():
            said = [int(re.search(pattern, Path(path).name)[1]) for path in table.paths]
            assert said == table.columns[column].tolist()
            assert table.columns[column].dtype == np.int64


@pytest.mark.parametrize("name", IN_FIRST_FRAMES)
def test_a_tracklet_has_the_number_of_its_first_frame(name, planted):
    pytest.importorskip("scipy")
    for table in tables_of(init_video_dataset(name, root=planted(name).root)).values():
        first = [re.search(IN_FIRST_FRAMES[name], Path(path[0]).name)[1] for path in table.paths]
        assert list(map(int, first)) == table.columns["frame"].tolist()


def test_rows_of_mars_are_those_of_its_list_of_tracks(planted):
    pytest.importorskip("scipy")
    tables = tables_of(init_video_dataset("mars", root=planted("mars").root))
    rows = [tables[split].columns["track"].tolist() for split in ("query", "gallery")]
    assert all(some == sorted(some) for some in rows)
    assert not set(rows[0]) & set(rows[1])


def test_distractors_have_no_time(planted):
    dataset = init_image_dataset(
        "market1501", root=planted("market1501").root, use_500k_distractors=True
    )
    assert set(dataset.query.columns) == {"sequence", "frame"}
    assert not dataset.gallery.columns


class TestTracksOfVeri:
    def lines(self, root):
        return (root / "veri" / "test_track.txt").read_text().splitlines()

    def test_each_line_is_a_track(self, planted):
        root = planted("veri").root
        dataset = init_image_dataset("veri", root=root)
        track = {name: row for row, line in enumerate(self.lines(root)) for name in line.split()}
        for table in (dataset.query, dataset.gallery):
            assert table.columns["track"].tolist() == [track[Path(p).name] for p in table.paths]
        assert "track" not in dataset.train.columns

    def test_a_name_for_the_track_itself_is_passed_over(self, plant):
        tree = plant("veri")
        before = init_image_dataset("veri", root=tree.root)
        named = [
            f"{line.split('_')[0]}_{n}.jpg {line}" for n, line in enumerate(self.lines(tree.root))
        ]
        (tree.root / "veri" / "test_track.txt").write_text("\n".join(named))
        after = init_image_dataset("veri", root=tree.root)
        assert np.array_equal(before.gallery.columns["track"], after.gallery.columns["track"])

    def test_a_picture_in_no_line_has_none(self, plant):
        tree = plant("veri")
        first, *others = self.lines(tree.root)
        (tree.root / "veri" / "test_track.txt").write_text("\n".join(others))
        gallery = init_image_dataset("veri", root=tree.root).gallery
        lost = {Path(path).name for path in gallery.take(gallery.columns["track"] < 0).paths}
        assert lost == set(first.split())

    def test_without_the_list_there_is_no_such_column(self, plant):
        tree = plant("veri")
        (tree.root / "veri" / "test_track.txt").unlink()
        assert set(init_image_dataset("veri", root=tree.root).gallery.columns) == {"frame"}

    def test_a_line_of_other_pictures_is_told(self, plant):
        tree = plant("veri")
        with (tree.root / "veri" / "test_track.txt").open("a") as listed:
            listed.write("0001_c001_99999999_9.jpg\n")
        with pytest.raises(DataError, match=r"names no picture in image_test: '0001_c001_99999999"):
            init_image_dataset("veri", root=tree.root)


class TestViewsOfVeri:
    POINTS = " ".join(["-1"] * 40)

    def write(self, root, split, views):
        lines = (
            f"VeRi/image_{split}/{name} {self.POINTS} {view}\n" for name, view in views.items()
        )
        (root / "veri" / f"keypoint_{split}.txt").write_text("".join(lines))

    def test_a_line_ends_in_the_pictures_viewpoint(self, plant):
        tree = plant("veri")
        before = init_image_dataset("veri", root=tree.root)
        assert "view" not in before.train.columns
        names = {side: [Path(p).name for p in getattr(before, side).paths] for side in SPLITS}
        others = names["train"][1:]
        told = {name: number % 8 for number, name in enumerate(others)}
        self.write(tree.root, "train", told)
        self.write(tree.root, "test", dict.fromkeys(names["gallery"], 5))
        after = init_image_dataset("veri", root=tree.root)
        assert after.train.columns["view"].tolist() == [-1, *told.values()]
        assert set(after.gallery.columns["view"].tolist()) == {5}
        assert set(after.query.columns["view"].tolist()) == {5}  # the same pictures
        assert set(after.gallery.columns) == {"frame", "track", "view"}

    def test_what_is_no_viewpoint_is_told(self, plant):
        tree = plant("veri")
        self.write(tree.root, "test", {"0001_c001_00016450_0.jpg": 8})
        with pytest.raises(DataError, match=r"line 1 of .*keypoint_test.* ends in '8'"):
            init_image_dataset("veri", root=tree.root)


def test_the_draw_of_vehicleid_may_be_left_to_the_protocol(planted):
    root = planted("vehicleid").root
    drawn = init_image_dataset("vehicleid", root=root)
    whole = init_image_dataset("vehicleid", root=root, draw="protocol")
    assert list(whole.query) == list(whole.gallery)
    assert sorted(whole.query) == sorted([*drawn.query, *drawn.gallery])
    assert list(whole.train) == list(drawn.train)
    with pytest.raises(DataError, match=r"no draw 'reders'.*'reader'"):
        init_image_dataset("vehicleid", root=root, draw="reders")
