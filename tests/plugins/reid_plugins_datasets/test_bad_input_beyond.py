"""What is told of tracklets, vehicles and hidden people that are not as they should be."""

import json
import re
import shutil
import sys

import numpy as np
import pytest

from reidcore.data import init_image_dataset, init_video_dataset
from reidcore.data.card import card_of
from reidcore.errors import DataError, UserError
from reidcore.registry import find

OPEN = {"image": init_image_dataset, "video": init_video_dataset}

# Dataset -> folders and files that it cannot do without.
NEEDED = {
    "dukemtmcvidreid": ("dukemtmc-vidreid/DukeMTMC-VideoReID/gallery",),
    "last": ("last/test/gallery",),
    "ltcc": ("LTCC_ReID/test",),
    "mars": ("mars/info/query_IDX.mat", "mars/info/test_name.txt", "mars/bbox_test"),
    "occluded_duke": ("Occluded_Duke/query",),
    "occluded_reid": ("OccludedREID/gallery",),
    "partial_ilids": ("PartialiLIDS/query",),
    "partial_reid": ("Partial_REID/whole_body_images",),
    "prcc": ("prcc/rgb/test/A",),
    "prid2011": ("prid2011/splits_prid2011.json", "prid2011/prid_2011/multi_shot/cam_b"),
    "vehicleid": ("vehicleid/train_test_split/test_list_2400.txt", "vehicleid/image"),
    "veri": ("veri/image_test",),
    "veriwild": ("VERI-Wild/train_test_split/vehicle_info.txt", "VERI-Wild/images"),
}

# Dataset -> files that are none of its, in a folder where it reads.
STRANGERS = {
    "last": "last/test/query/{}.jpg",
    "ltcc": "LTCC_ReID/train/{}.png",
    "occluded_duke": "Occluded_Duke/query/{}.jpg",
    "occluded_reid": "OccludedREID/query/{}.jpg",
    "partial_reid": "Partial_REID/partial_body_images/{}.jpg",
    "veri": "veri/image_train/{}.jpg",
}


def refused(key, root, error=DataError, **options):
    opening = OPEN[card_of(find("datasets", key).load()).data_type]
    with pytest.raises(error) as caught:
        opening(key, root=root, **options)
    return str(caught.value)


@pytest.mark.parametrize("key", NEEDED)
def test_what_is_missing_is_told_with_the_expected_layout(key, plant, tmp_path):
    card = card_of(find("datasets", key).load())
    assert card.layout in refused(key, tmp_path)
    root = plant(key).root
    for needed in NEEDED[key]:
        (root / needed).rename(root / "away")
        told = refused(key, root)
        assert str(root / needed) in told
        assert card.source in told
        (root / "away").rename(root / needed)


@pytest.mark.parametrize("key", STRANGERS)
def test_names_that_do_not_parse_are_counted_and_the_first_three_shown(key, plant):
    root = plant(key).root
    for number in range(4):
        (root / STRANGERS[key].format(f"holiday{number}")).touch()
    told = refused(key, root)
    assert re.search(r"4 .*files.*holiday0.*holiday1.*holiday2", told)
    assert "holiday3" not in told


@pytest.mark.parametrize(
    ("key", "name", "told"),
    [
        ("veri", "veri/image_query/0777_c001_00000001_0.jpg", "vehicle"),
        ("veri", "veri/image_query/0001_c021_00000001_0.jpg", "camera"),
        ("ltcc", "LTCC_ReID/test/001_1_c13_000001.png", "camera"),
    ],
)
def test_labels_out_of_range_are_refused(key, name, told, plant):
    root = plant(key).root
    (root / name).touch()
    assert re.search(rf"{told} outside .*{name.rpartition('/')[2]}", refused(key, root))


@pytest.mark.parametrize(
    ("key", "options", "told"),
    [
        ("vehicleid", {"size": "smal"}, "'small'"),
        ("vehicleid", {"split_id": 10}, "0 to 9"),
        ("veriwild", {"size": "all"}, "small, medium, large"),
        ("prcc", {"query": "other"}, "changed, same"),
        ("prcc", {"split_id": -1, "single_shot": True}, "0 to 9"),
        ("last", {"part": "train"}, "test, val"),
    ],
)
def test_values_that_an_option_has_not_are_told(key, options, told, planted):
    assert told in refused(key, planted(key).root, **options)


class TestLists:
    @pytest.mark.parametrize(
        ("key", "path"),
        [
            ("vehicleid", "vehicleid/train_test_split/train_list.txt"),
            ("veriwild", "VERI-Wild/train_test_split/test_10000.txt"),
            ("veriwild", "VERI-Wild/train_test_split/vehicle_info.txt"),
        ],
    )
    def test_lines_of_another_form_are_counted_and_shown(self, key, path, plant):
        root = plant(key).root
        text = (root / path).read_text()
        (root / path).write_text(text + "nonsense 1\n\nnonsense 2\n")
        assert re.search(r"2 of \d+ lines.*nonsense 1.*nonsense 2", refused(key, root))
        (root / path).write_bytes(b"\n")
        assert "is empty" in refused(key, root)
        (root / path).write_bytes(b"\xff\xfe\x00")
        assert "1 of 1 line of" in refused(key, root)

    def test_listed_pictures_that_are_missing_are_counted(self, plant):
        root = plant("vehicleid").root
        listed = root / "vehicleid/train_test_split/test_list_2400.txt"
        listed.write_text(listed.read_text() + "9999999 5\n")
        assert re.search(r"missing.*1 of 14.*9999999\.jpg", refused("vehicleid", root))

    def test_a_picture_without_a_camera_is_told(self, plant):
        root = plant("veriwild").root
        info = root / "VERI-Wild/train_test_split/vehicle_info.txt"
        header, first, *rest = info.read_text().splitlines(keepends=True)
        info.write_text("".join([header, *rest]))
        assert first.split(";")[0] in refused("veriwild", root)
        info.write_text("".join([header, re.sub(r";\d+;", ";175;", first, count=1), *rest]))
        assert "camera outside 1..174" in refused("veriwild", root)


class TestMars:
    @pytest.fixture
    def root(self, plant):
        return plant("mars").root

    @pytest.mark.parametrize(
        "row", [[0, 3, 7, 1], [3, 2, 7, 1], [1, 10**6, 7, 1], [1, 2, -2, 1], [1, 2, 7, 7]]
    )
    def test_tracks_out_of_range_are_counted(self, row, root):
        self.put_tracks(root, [[1, 2, 7, 1], row])
        assert re.search(rf"1 of 2 tracks.*{re.escape(str(row))}", refused("mars", root))

    def test_tracks_that_are_not_of_one_person_and_camera_are_told(self, root):
        self.put_tracks(root, [[1, 2, 9999, 1]])
        told = refused("mars", root)
        assert "lines 1 to 2" in told
        assert "identity 9999 by camera 1" in told

    @pytest.mark.parametrize("table", [[[1, 2, 3]], np.zeros((0, 4)), ["text"]])
    def test_a_table_of_another_form_is_told(self, table, root):
        self.put_tracks(root, table)
        assert "track_train_info" in refused("mars", root)

    def test_queries_that_are_no_track_are_told(self, root):
        savemat = pytest.importorskip("scipy.io").savemat
        savemat(root / "mars/info/query_IDX.mat", {"query_IDX": [[0, 5, 999]]})
        assert re.search(r"2 of 3 queries.*'0', '999'", refused("mars", root))

    def test_missing_frames_are_told(self, root):
        next((root / "mars/bbox_train").glob("*/*F001.jpg")).unlink()
        assert re.search(r"train_name.txt.*missing.*1 of 51.*F001\.jpg", refused("mars", root))

    @pytest.mark.parametrize("kept", [0.0, 0.5])
    def test_a_damaged_mat_file_is_told(self, kept, root):
        path = root / "mars/info/query_IDX.mat"
        path.write_bytes(path.read_bytes()[: int(kept * path.stat().st_size)])
        assert "query_IDX.mat" in refused("mars", root)

    def test_without_the_extra_it_says_what_to_install(self, root, monkeypatch):
        monkeypatch.setitem(sys.modules, "scipy.io", None)
        assert 'pip install "reidcore[mat]"' in refused("mars", root, UserError)

    def put_tracks(self, root, table):
        savemat = pytest.importorskip("scipy.io").savemat
        savemat(root / "mars/info/tracks_train_info.mat", {"track_train_info": table})


class TestTwoCameras:
    def test_people_and_splits_that_are_missing_are_told(self, plant):
        root = plant("ilidsvid").root
        sequences = root / "ilids-vid/i-LIDS-VID/sequences"
        person = next((sequences / "cam1").iterdir()).name
        shutil.rmtree(sequences / "cam1" / person)
        assert person in refused("ilidsvid", root)
        shutil.rmtree(sequences / "cam2" / person)
        assert "orders 300 people, and 299 have a folder" in refused("ilidsvid", root)
        shutil.rmtree(root / "ilids-vid/train-test people splits")
        assert "train_test_splits_ilidsvid.mat" in refused("ilidsvid", root)

    @pytest.mark.parametrize(
        "splits",
        [
            {},
            [{"train": ["person_0001"]}],
            [{"train": ["../person_0001"], "test": []}],
            [{"train": ["person_0001"], "test": ["person_0001"]}],
            [{"train": ["person_9999"], "test": []}],
        ],
    )
    def test_splits_of_another_form_are_told(self, splits, plant):
        root = plant("prid2011").root
        path = root / NEEDED["prid2011"][0]
        path.write_text(json.dumps(splits))
        told = refused("prid2011", root)
        assert str(path) in told or "person_9999" in told
        path.write_text("{")
        assert str(path) in refused("prid2011", root, UserError)

    def test_a_tracklet_without_frames_is_told(self, plant):
        tree = plant("prid2011")
        splits = json.loads((tree.root / NEEDED["prid2011"][0]).read_text())
        person = tree.root / "prid2011/prid_2011/multi_shot/cam_b" / splits[0]["test"][0]
        for frame in person.iterdir():
            frame.unlink()
        assert str(person) in refused("prid2011", tree.root)


class TestTracklets:
    BASE = "dukemtmc-vidreid/DukeMTMC-VideoReID/train"

    def put(self, root, *names):
        folder = root / self.BASE / "0007" / "0001"
        folder.mkdir(parents=True)
        for name in names:
            (folder / name).touch()

    def test_frames_are_in_order_of_time_however_wide_their_numbers(self, plant):
        root = plant("dukemtmcvidreid").root
        shutil.rmtree(root / self.BASE)
        self.put(root, "0007_C3_F10000_X9.jpg", "0007_C3_F0998_X1.jpg", "0007_C3_F9999_X2.jpg")
        (track,) = init_video_dataset("dukemtmcvidreid", root=root).train
        assert [path.split("_")[-2] for path in track.path] == ["F0998", "F9999", "F10000"]
        assert track.camid == 2

    @pytest.mark.parametrize(
        "name", ["0007_C4_F0002_X1.jpg", "0008_C3_F0002_X1.jpg", "0007_C9_F0002_X1.jpg"]
    )
    def test_frames_of_another_person_or_camera_are_told(self, name, plant):
        root = plant("dukemtmcvidreid").root
        self.put(root, "0007_C3_F0001_X1.jpg", name)
        assert name in refused("dukemtmcvidreid", root)

    def test_min_seq_len_leaves_out_and_says_how_many(self, planted, caplog):
        root = planted("dukemtmcvidreid").root
        with caplog.at_level("INFO", logger="reidcore"):
            found = init_video_dataset("dukemtmcvidreid", root=root, min_seq_len=5)
        assert min(len(sample.path) for sample in found.train) == 5
        assert re.search(r"\d of 13 tracklets left out", caplog.text)


class TestHiddenPeople:
    @pytest.mark.parametrize(
        ("key", "folders"),
        [
            (
                "occluded_reid",
                {
                    "OccludedREID/query": "Occluded_REID/occluded_body_images",
                    "OccludedREID/gallery": "Occluded_REID/whole_body_images",
                },
            ),
            (
                "partial_ilids",
                {
                    "PartialiLIDS/query": "Partial_iLIDS/Probe",
                    "PartialiLIDS/gallery": "Partial_iLIDS/Gallery",
                },
            ),
        ],
    )
    def test_another_copys_folders_are_read_alike(self, key, folders, plant):
        root = plant(key).root
        before = init_image_dataset(key, root=root)
        for folder, other in folders.items():
            for number, path in enumerate(sorted((root / folder).iterdir())):
                # Some of them lie in folders of persons, as they were released.
                below = path.name.split("_")[0] if number % 2 else ""
                (root / other / below).mkdir(parents=True, exist_ok=True)
                path.rename(root / other / below / path.name)
            (root / folder).rmdir()
        (root / next(iter(folders))).parent.rmdir()
        after = init_image_dataset(key, root=root)
        assert sorted(after.query.pids) == sorted(before.query.pids)
        assert sorted(after.gallery.pids) == sorted(before.gallery.pids)
        assert set(after.query.camids) == {0}
        assert set(after.gallery.camids) == {1}

    def test_a_folder_without_pictures_is_told(self, plant):
        root = plant("partial_reid").root
        for path in (root / "Partial_REID/whole_body_images").iterdir():
            path.unlink()
        assert "whole_body_images" in refused("partial_reid", root)


class TestVehicleDraws:
    def test_the_gallery_is_one_picture_each_and_the_same_in_every_size(self, planted):
        root = planted("vehicleid").root
        sizes = [init_image_dataset("vehicleid", root=root, size=size) for size in ("small", "all")]
        small, everything = (dict(zip(s.gallery.pids, s.gallery.paths, strict=True)) for s in sizes)
        assert small.items() <= everything.items()
        assert len(everything) == len(sizes[1].gallery) == 7

    def test_draws_differ_and_nothing_is_left_out_of_a_ranking(self, planted):
        root = planted("vehicleid").root
        draws = [init_image_dataset("vehicleid", root=root, split_id=n) for n in range(10)]
        assert len({tuple(sorted(draw.gallery.paths)) for draw in draws}) > 3
        assert len({(*sorted([*draw.query.paths, *draw.gallery.paths]),) for draw in draws}) == 1
        assert not set(draws[0].query.camids) & set(draws[0].gallery.camids)


@pytest.mark.parametrize(
    ("key", "place", "told"),
    [
        ("last", f"last/test/query/{'9' * 20}.jpg", "unexpected names"),
        ("ltcc", f"LTCC_ReID/train/{'9' * 30}_1_c1_005.png", "unexpected names"),
        ("cuhksysu", f"cuhksysu/cropped_images/p{'9' * 20}_s1_1.jpg", "unexpected names"),
    ],
)
def test_numbers_of_more_than_64_bits_are_told(key, place, told, plant):
    root = plant(key).root
    (root / place).touch()
    said = refused(key, root)
    assert told in said
    assert "Expected names such as" in said


def test_so_are_those_in_a_list(plant):
    root = plant("vehicleid").root
    listed = root / "vehicleid/train_test_split/train_list.txt"
    listed.write_text(f"{listed.read_text().rstrip()}\n0000001 {'9' * 20}\n")
    assert f"0000001 {'9' * 20}" in refused("vehicleid", root)
