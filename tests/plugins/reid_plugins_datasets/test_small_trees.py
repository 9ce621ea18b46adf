"""Benchmarks whose layouts are small enough to be written out: each row of each table."""

from __future__ import annotations

from pathlib import Path

import pytest
from reid_plugins_scaffold.conformance.base import checks_of

from reidcore.data import SampleTable, card_of, init_image_dataset, init_video_dataset
from reidcore.errors import DataError
from reidcore.registry import find
from reidcore.testing import conformance
from tests.plugins.reid_plugins_datasets.small_trees import TREES, plant

SPLITS = ("train", "query", "gallery")
OPEN = {"image": init_image_dataset, "video": init_video_dataset}


def opened(name, root, **options):
    return OPEN[card_of(find("datasets", name).load()).data_type](name, root=root, **options)


def rows(samples, root, *columns):
    """Return (path below the root, identity, camera, columns) of each sample."""
    table = SampleTable.of(samples)
    further = [table.columns[column].tolist() for column in columns]
    return [
        (Path(sample.path).relative_to(root).as_posix(), sample.pid, sample.camid, *more)
        for sample, *more in zip(table, *further, strict=True)
    ]


def all_rows(dataset, root, *columns):
    return [rows(getattr(dataset, split), root, *columns) for split in SPLITS]


@pytest.mark.parametrize("name", TREES)
def test_it_keeps_the_contract(name, tmp_path):
    attributes = {"name": name, "root": plant(tmp_path, name)}
    checks = type("Made", (conformance.DatasetConformance,), attributes)()
    for check in checks_of(type(checks)):
        checks.setup_method()
        getattr(checks, check)()
        checks.teardown_method()


@pytest.mark.parametrize("name", TREES)
def test_a_missing_folder_is_told_with_the_expected_layout(name, tmp_path):
    card = card_of(find("datasets", name).load())
    with pytest.raises(DataError) as caught:
        opened(name, tmp_path)
    assert card.layout in str(caught.value)
    assert card.source in str(caught.value)


STRANGERS = {
    "sysu_mm01": "SYSU-MM01/cam1/0001/holiday.jpg",
    "vc_clothes": "VC-Clothes/query/holiday.jpg",
    "soccernet_reid": "soccernetv3/reid/train/holiday.png",
    "personx": "personx/subset1/query/holiday.jpg",
    "vehiclex": "vehiclex/AIC20_ReID_Simulation/image_train/holiday.jpg",
    "sysu_mm": "SYSU-MM01/cam1/holiday.jpg",
    "caviara": "CAVIARa/holiday.jpg",
    "lpw": "pep_256x128/scen1/holiday.jpg",
    "pes3d": "3DPeS/RGB/holiday.bmp",
    "pku": "PKUv1a_128x48/holiday.png",
    "prai": "PRAI-1581/images/holiday.jpg",
    "saivt": "SAIVT-SoftBio/cropped_images/holiday.jpeg",
    "shinpuhkan": "shinpuhkan/holiday.jpg",
    "thermalworld": "thermalworld_rgb/holiday.jpg",
    "wildtrack": "Wildtrack_crop_dataset/crop/holiday.png",
}


@pytest.mark.parametrize("name", STRANGERS)
def test_names_of_another_form_are_told(name, tmp_path):
    root = plant(tmp_path, name, {STRANGERS[name]: ""})
    with pytest.raises(DataError, match=r"unexpected names.*holiday"):
        opened(name, root)


LISTS = {
    "sysu_mm01": ("SYSU-MM01/exp/test_id.txt", "six"),
    "regdb": ("RegDB/idx/test_visible_1.txt", "Visible/1/1.bmp"),
    "deepchange": ("DeepChangeDataset/train-set-bbox.txt", "P1_C1_x_a.jpg"),
    "ccvid": ("CCVID/query.txt", "session3/002_01 002"),
    "airport_alert": ("AirportALERT/filepath.txt", "a.jpg"),
}


@pytest.mark.parametrize("name", LISTS)
def test_lines_of_another_form_are_told(name, tmp_path):
    path, line = LISTS[name]
    root = plant(tmp_path, name, {path: TREES[name][path] + line})
    with pytest.raises(DataError, match=r"1 of \d+ lines of .*are wrong") as caught:
        opened(name, root)
    assert line in str(caught.value)


MISSING = {
    "regdb": "RegDB/Thermal/2/2.bmp",
    "deepchange": "DeepChangeDataset/test-set-gallery/P2_C3_z_c.jpg",
    "airport_alert": "AirportALERT/cam10/11002/b.jpg",
    "wildlife": "images/b2.jpg",
}


@pytest.mark.parametrize("name", MISSING)
def test_listed_pictures_that_are_missing_are_told(name, tmp_path):
    (plant(tmp_path, name) / MISSING[name]).unlink()
    with pytest.raises(DataError, match=r"are missing in .*1 of") as caught:
        opened(name, tmp_path)
    assert Path(MISSING[name]).name in str(caught.value)


WRONG_OPTIONS = {
    "regdb": {"direction": "thermal"},
    "vc_clothes": {"cameras": "sc"},
    "deepchange": {"part": "tests"},
    "soccernet_reid": {"part": "challenge"},
    "wildlife": {"split": "opened"},
}


@pytest.mark.parametrize("name", WRONG_OPTIONS)
def test_values_that_an_option_has_not_are_told(name, tmp_path):
    ((option, value),) = WRONG_OPTIONS[name].items()
    with pytest.raises(DataError, match=rf"has no {option} '{value}'.*Choose from"):
        opened(name, plant(tmp_path, name), **WRONG_OPTIONS[name])


class TestSysuMm01:
    def test_infrared_pictures_of_test_people_are_searched_for_among_visible_ones(self, tmp_path):
        dataset = opened("sysu_mm01", plant(tmp_path, "sysu_mm01"))
        train, query, gallery = all_rows(dataset, tmp_path / "SYSU-MM01", "modality", "picture")
        assert train == [
            ("cam1/0001/0001.jpg", 0, 0, "visible", 1),
            ("cam1/0004/0001.jpg", 1, 0, "visible", 1),
            ("cam3/0001/0001.jpg", 0, 2, "infrared", 1),
            ("cam3/0004/0001.jpg", 1, 2, "infrared", 1),
            ("cam5/0004/0001.jpg", 1, 4, "visible", 1),
        ]
        assert query == [
            ("cam3/0006/0001.jpg", 6, 2, "infrared", 1),
            ("cam6/0006/0003.jpg", 6, 5, "infrared", 3),
        ]
        assert gallery == [
            ("cam1/0006/0001.jpg", 6, 0, "visible", 1),
            ("cam1/0006/0012.jpg", 6, 0, "visible", 12),
            ("cam2/0006/0001.jpg", 6, 1, "visible", 1),
        ]
        assert dataset.gallery.names.camid(1) == "2"
        (left,) = dataset.left_out
        assert (left.count, left.expected) == (3, True)  # 2 of the validation, 9 of no list

    @pytest.mark.parametrize("options", [{"use_val": True}, {"combineall": True}])
    def test_the_people_of_the_validation_list_are_learnt_from_where_asked(self, options, tmp_path):
        dataset = opened("sysu_mm01", plant(tmp_path, "sysu_mm01"), **options)
        assert "SYSU-MM01/cam1/0002/0001.jpg" in {row[0] for row in rows(dataset.train, tmp_path)}

    def test_somebody_in_both_lists_is_told(self, tmp_path):
        root = plant(tmp_path, "sysu_mm01", {"SYSU-MM01/exp/train_id.txt": "1,4,6\n"})
        with pytest.raises(DataError, match=r"1 person of SYSU-MM01 in test_id.txt is in a list"):
            opened("sysu_mm01", root)


class TestRegDb:
    def test_both_directions_and_the_trials(self, tmp_path):
        root = plant(tmp_path, "regdb")
        first = all_rows(opened("regdb", root), root / "RegDB", "modality")
        assert first == [
            [
                ("Visible/1/1.bmp", 0, 0, "visible"),
                ("Visible/1/2.bmp", 0, 0, "visible"),
                ("Thermal/1/1.bmp", 0, 1, "thermal"),
                ("Thermal/1/2.bmp", 0, 1, "thermal"),
            ],
            [("Visible/2/1.bmp", 0, 0, "visible"), ("Visible/2/2.bmp", 0, 0, "visible")],
            [("Thermal/2/1.bmp", 0, 1, "thermal"), ("Thermal/2/2.bmp", 0, 1, "thermal")],
        ]
        back = opened("regdb", root, direction="thermal_to_visible")
        assert all_rows(back, root / "RegDB", "modality") == [first[0], first[2], first[1]]
        last = opened("regdb", root, split_id=9)
        assert rows(last.query, root / "RegDB") == [("Visible/1/1.bmp", 0, 0)]
        with pytest.raises(DataError, match="split_id from 0 to 9"):
            opened("regdb", root, split_id=10)


class TestClothes:
    def test_outfits_of_vc_clothes_are_numbered_by_person(self, tmp_path):
        root = plant(tmp_path, "vc_clothes")
        found = all_rows(opened("vc_clothes", root), root / "VC-Clothes", "clothes")
        assert found == [
            [("train/0001-01-01-01.jpg", 0, 0, 0), ("train/0001-03-02-01.jpg", 0, 2, 1)],
            [("query/0002-02-01-01.jpg", 2, 1, 2), ("query/0002-04-02-01.jpg", 2, 3, 3)],
            [("gallery/0002-01-03-05.jpg", 2, 0, 4), ("gallery/0002-03-01-05.jpg", 2, 2, 2)],
        ]

    @pytest.mark.parametrize(
        ("cameras", "asked", "searched"), [("same", [1], [2]), ("changed", [3], [2])]
    )
    def test_two_cameras_of_vc_clothes(self, cameras, asked, searched, tmp_path):
        dataset = opened("vc_clothes", plant(tmp_path, "vc_clothes"), cameras=cameras)
        assert dataset.query.camids.tolist() == asked
        assert dataset.gallery.camids.tolist() == searched
        assert len(dataset.train) == 2
        assert [left.count for left in dataset.left_out] == [2]

    def test_tracklets_are_the_cameras_of_deepchange(self, tmp_path):
        root = plant(tmp_path, "deepchange")
        columns = ("clothes", "camera", "tracklet")
        found = all_rows(opened("deepchange", root), root / "DeepChangeDataset", *columns)
        assert found == [
            [
                ("train-set/P1_C1_x_a.jpg", 0, 4, 0, 0, 4),
                ("train-set/P1_C17_y_a.jpg", 0, 5, 1, 16, 5),
            ],
            [("test-set-query/P2_C3_x_a.jpg", 2, 7, 2, 2, 7)],
            [
                ("test-set-gallery/P2_C3_x_b.jpg", 2, 7, 2, 2, 7),
                ("test-set-gallery/P2_C3_z_c.jpg", 2, 8, 3, 2, 8),
            ],
        ]

    def test_cameras_and_the_other_half_of_deepchange(self, tmp_path):
        dataset = opened("deepchange", plant(tmp_path, "deepchange"), part="val", camid="camera")
        assert dataset.query.camids.tolist() == [0]
        assert dataset.gallery.camids.tolist() == [1]
        assert dataset.train.camids.tolist() == [0, 16]

    def test_the_third_session_of_ccvid_has_other_cameras(self, tmp_path):
        dataset = opened("ccvid", plant(tmp_path, "ccvid"))
        found = [
            [
                (len(s.path), s.pid, s.camid, outfit)
                for s, outfit in zip(table, clothes, strict=True)
            ]
            for table in (dataset.train, dataset.query, dataset.gallery)
            for clothes in [table.columns["clothes"].tolist()]
        ]
        assert found == [[(2, 0, 0, 0)], [(1, 2, 12, 2)], [(1, 2, 11, 1), (1, 2, 11, 2)]]
        assert dataset.query.names.camid(12) == "13"

    def test_tracklets_without_frames_are_told(self, tmp_path):
        listed = TREES["ccvid"]["CCVID/gallery.txt"] + "session2/003_02 003 u0\n"
        root = plant(tmp_path, "ccvid", {"CCVID/gallery.txt": listed})
        with pytest.raises(
            DataError, match=r"1 of 3 tracklets .* have no frame: 'session2/003_02'"
        ):
            opened("ccvid", root)


def test_players_have_the_action_the_frame_and_the_role(tmp_path):
    dataset = opened("soccernet_reid", plant(tmp_path, "soccernet_reid"))
    found = [
        [row[1:] for row in side] for side in all_rows(dataset, tmp_path, "action", "frame", "role")
    ]
    assert found == [
        [(0, 0, 0, 0, "Main_referee")],
        [(11, 0, 3, 6, "Player_team_left")],
        [(11, 1, 3, 7, "Player_team_left"), (12, 1, 4, 9, "Staff_members")],
    ]
    valid = opened("soccernet_reid", tmp_path, part="valid")
    assert valid.query.pids.tolist() == valid.gallery.pids.tolist() == [21]


def test_people_of_personx_have_a_viewpoint(tmp_path):
    dataset = opened("personx", plant(tmp_path, "personx"))
    found = [[row[1:] for row in side] for side in all_rows(dataset, tmp_path, "viewpoint")]
    assert found == [[(0, 2, 1)], [(1, 11, 32)], [(1, 3, 3)]]
    with pytest.raises(DataError, match="personx/1/bounding_box_train"):
        opened("personx", tmp_path, subset="1")


# Dataset to learn from -> (identity, its name, camera, its name) of each picture.
TRAINING = {
    "vehiclex": [(0, "1", 5, "5"), (1, "1362", 35, "35")],
    "airport_alert": [(0, "11001", 0, "cam1"), (1, "11002", 1, "cam10")],
    "sysu_mm": [(n, str(p), p - 1, str(p)) for n, p in enumerate((1, 2, 4, 5))],
    "caviara": [(0, "0001", 0, "0"), (1, "0072", 0, "0")],
    "lpw": [(0, "1-1", 0, "1-1"), (0, "1-1", 1, "1-2"), (1, "2-1", 2, "2-1")],
    "pes3d": [(1, "192", 0, "0"), (0, "1", 0, "0"), (0, "1", 0, "0")],
    "pku": [(0, "001", 0, "1"), (0, "001", 1, "2")],
    "prai": [(0, "00000001", 0, "0001"), (1, "00000002", 1, "0002")],
    "saivt": [(0, "001", 0, "C3"), (1, "002", 1, "C8")],
    "shinpuhkan": [(0, "001", 1, "16"), (1, "024", 0, "02")],
    "thermalworld": [(1, "12", 0, "0"), (0, "7", 0, "0")],
    "wildtrack": [(1, "10", 1, "C7"), (0, "2", 0, "C1")],
}


@pytest.mark.parametrize("name", TRAINING)
def test_sets_to_learn_from_keep_the_names_of_labels(name, tmp_path):
    dataset = opened(name, plant(tmp_path, name))
    table = dataset.train
    found = [(s.pid, table.names.pid(s.pid), s.camid, table.names.camid(s.camid)) for s in table]
    # Where identities are numbers they have been relabelled, and are called by the new ones.
    numbered = name in ("vehiclex", "airport_alert", "sysu_mm")
    wanted = [
        (pid, str(pid) if numbered else called, *rest) for pid, called, *rest in TRAINING[name]
    ]
    assert found == wanted
    assert not len(dataset.query)
    assert not len(dataset.gallery)


def test_columns_of_sets_to_learn_from(tmp_path):
    assert opened("lpw", plant(tmp_path, "lpw")).train.columns["frame"].tolist() == [1, 12, 3]
    sides = opened("pku", plant(tmp_path, "pku")).train.columns["orientation"]
    assert sides.tolist() == [3, 8]


def test_the_slim_copy_of_lpw_goes_first(tmp_path):
    plant(tmp_path, "lpw")
    slim = tmp_path / "pep_256x128/data_slim/scen3/view4/9/10213.jpg"
    slim.parent.mkdir(parents=True)
    slim.touch()
    assert list(opened("lpw", tmp_path).train.paths) == [str(slim)]


def test_an_empty_set_to_learn_from_is_told(tmp_path):
    (tmp_path / "CAVIARa").mkdir()
    with pytest.raises(DataError, match=r"no \.jpg picture lies below .*CAVIARa"):
        opened("caviara", tmp_path)
