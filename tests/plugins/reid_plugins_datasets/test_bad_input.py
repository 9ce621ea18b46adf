"""What is told of image benchmarks that are not as they should be."""

import re

import pytest

from reidcore.data import init_image_dataset
from reidcore.data.card import card_of
from reidcore.errors import DataError, UserError
from reidcore.registry import find

# Dataset -> a folder or file that it cannot do without.
NEEDED = {
    "cuhk01": "cuhk01/campus",
    "cuhk02": "cuhk02/Dataset/P3/cam2",
    "cuhk03": "cuhk03/cuhk03_new_protocol_config_detected.mat",
    "cuhksysu": "cuhksysu/cropped_images",
    "dukemtmcreid": "dukemtmc-reid/DukeMTMC-reID/query",
    "grid": "grid/underground_reid/features_and_partitions.mat",
    "ilids": "ilids/i-LIDS_Pedestrian/Persons",
    "market1501": "market1501/Market-1501-v15.09.15/bounding_box_test",
    "msmt17": "msmt17/MSMT17_V1/list_query.txt",
    "prid": "prid2011/prid_2011/single_shot/cam_b",
    "sensereid": "sensereid/SenseReID/test_gallery",
    "university1652": "university1652/University-Release/train/google",
    "viper": "viper/VIPeR/cam_a",
}

# Dataset -> files that are none of its, in a folder where it reads.
STRANGERS = {
    "cuhk01": "cuhk01/campus/{}.png",
    "cuhk02": "cuhk02/Dataset/P5/cam1/{}.png",
    "cuhksysu": "cuhksysu/cropped_images/{}.jpg",
    "dukemtmcreid": "dukemtmc-reid/DukeMTMC-reID/query/{}.jpg",
    "grid": "grid/underground_reid/gallery/{}.jpeg",
    "ilids": "ilids/i-LIDS_Pedestrian/Persons/{}.jpg",
    "prid": "prid2011/prid_2011/single_shot/cam_a/{}.png",
    "sensereid": "sensereid/SenseReID/test_probe/{}.jpg",
    "viper": "viper/VIPeR/cam_b/{}.bmp",
}


def refused(key, root, error=DataError, **options):
    with pytest.raises(error) as caught:
        init_image_dataset(key, root=root, **options)
    return str(caught.value)


@pytest.mark.parametrize("key", NEEDED)
def test_what_is_missing_is_told_with_the_expected_layout(key, plant, tmp_path):
    assert card_of(find("datasets", key).load()).layout in refused(key, tmp_path)
    root = plant(key).root
    (root / NEEDED[key]).rename(root / "away")
    told = refused(key, root)
    assert str(root / NEEDED[key]) in told
    assert card_of(find("datasets", key).load()).source in told


def test_an_archive_that_is_there_is_named_and_not_unpacked_by_itself(plant):
    root = plant("cuhk01_zip").root / "alt/cuhk01_zip"
    told = refused("cuhk01", root)
    assert str(root / "cuhk01/CUHK01.zip") in told
    assert "reidcore data prepare" in told
    assert not (root / "cuhk01/campus").exists()


@pytest.mark.parametrize("key", STRANGERS)
def test_names_that_do_not_parse_are_counted_and_the_first_three_shown(key, plant):
    root = plant(key).root
    for number in range(4):
        (root / STRANGERS[key].format(f"holiday{number}")).touch()
    told = refused(key, root)
    assert re.search(r"\(4 of \d+ files\).*holiday0.*holiday1.*holiday2\S*' and 1 more\. ", told)
    assert "holiday3" not in told


def test_a_folder_that_is_no_building_is_told(plant):
    root = plant("university1652").root
    (root / "university1652/University-Release/train/street/old").mkdir()
    assert "old" in refused("university1652", root)


@pytest.mark.parametrize(
    ("key", "name", "told"),
    [
        ("dukemtmcreid", "dukemtmc-reid/DukeMTMC-reID/query/0001_c9_f0000001.jpg", "camera"),
        ("grid", "grid/underground_reid/probe/0251_1_1_1_1_1_1.jpeg", "pid"),
        ("cuhk01", "cuhk01/campus/0001005.png", "picture"),
        ("prid", "prid2011/prid_2011/single_shot/cam_b/person_0750.png", "pid"),
    ],
)
def test_labels_out_of_range_are_refused(key, name, told, plant):
    root = plant(key).root
    (root / name).touch()
    assert re.search(rf"{told} outside .*{name.rpartition('/')[2]}", refused(key, root))


def test_lists_and_images_of_other_versions_are_told(plant):
    root = plant("msmt17").root / "msmt17/MSMT17_V1"
    lines = (root / "list_train.txt").read_text().splitlines(keepends=True)
    (root / "list_train.txt").write_text("".join(lines).replace("0000/0000_0", "0000/0000_9"))
    assert re.search(r"list_train.*missing.*0000/0000_9", refused("msmt17", root.parents[1]))
    (root / "list_train.txt").write_text("0000/one.jpg 0\n" + "".join(lines))
    assert re.search(r"1 of \d+ lines.*0000/one\.jpg 0", refused("msmt17", root.parents[1]))


def test_one_camera_alone_is_told(plant):
    root = plant("viper").root
    next((root / "viper/VIPeR/cam_b").iterdir()).unlink()
    assert "1 people of VIPeR have no picture" in refused("viper", root)
    (root / "viper/VIPeR/cam_a/000_7.bmp").touch()
    assert "more than one picture" in refused("viper", root)


def test_a_person_that_only_one_camera_of_prid_saw_is_told(plant):
    root = plant("prid").root
    (root / "prid2011/prid_2011/single_shot/cam_a/person_0007.png").unlink()
    assert "number 7" in refused("prid", root)


def test_a_person_of_ilids_with_one_picture_is_told(plant):
    root = plant("ilids").root
    for path in (root / "ilids/i-LIDS_Pedestrian/Persons").glob("*.jpg"):
        if not path.stem.endswith("001"):
            path.unlink()
    assert "one picture only" in refused("ilids", root)


@pytest.mark.parametrize("key", ["grid", "cuhk03"])
def test_a_damaged_mat_file_is_told(key, plant):
    root = plant(key).root
    path = root / NEEDED[key]
    whole = path.read_bytes()
    for content in (b"", b"no MATLAB", whole[: len(whole) // 2]):
        path.write_bytes(content)
        assert path.name in refused(key, root)


def test_a_mat_file_of_something_else_is_told(plant):
    root = plant("grid").root
    savemat = pytest.importorskip("scipy.io").savemat
    savemat(root / NEEDED["grid"], {"other": [1]})
    assert "lacks the variable 'trainIdxAll'" in refused("grid", root)
    savemat(root / NEEDED["grid"], {"trainIdxAll": [[1, 2]]})
    assert "partition 0" in refused("grid", root)


@pytest.mark.parametrize("key", ["grid", "cuhk03"])
def test_a_mat_dataset_without_the_extra_says_what_to_install(key, plant, monkeypatch):
    root = plant(key).root
    for module in ("scipy.io", "h5py"):
        monkeypatch.setitem(__import__("sys").modules, module, None)
    assert 'pip install "reidcore[mat]"' in refused(key, root, UserError)


@pytest.mark.parametrize(
    ("views", "told"),
    [
        ({"query_view": "dron"}, "drone"),
        ({"gallery_view": "google"}, "gallery_view"),
        ({"gallery_view": "drone"}, "same view"),
    ],
)
def test_views_that_are_not_tested_are_told(views, told, planted):
    assert told in refused("university1652", planted("university1652").root, **views)
