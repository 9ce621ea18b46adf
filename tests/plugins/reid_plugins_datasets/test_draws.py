"""Random draws of our own, and the ones that Torchreid left in files."""

import json

import pytest

from reid_plugins_datasets.people.cuhk01 import cuhk01
from reid_plugins_datasets.people.ilids import ilids
from reid_plugins_datasets.people.prid import prid
from reid_plugins_datasets.people.viper import viper
from reid_plugins_datasets.reading.draws import drawn, halved
from reidcore.errors import DataError

FACTORIES = {"cuhk01": cuhk01, "ilids": ilids, "prid": prid, "viper": viper}
SPLIT_FILES = {
    "cuhk01": "cuhk01/splits.json",
    "ilids": "ilids/splits.json",
    "prid": "prid2011/splits_single_shot.json",
    "viper": "viper/splits.json",
}


def test_a_draw_is_the_same_for_ever():
    # These figures are a promise: results of other years compare with them.
    assert drawn(range(10), "VIPeR", 0) == [2, 6, 1, 3, 8, 5, 9, 7, 4, 0]
    assert halved([5, 1, 3, 2, 4], "VIPeR", 0) == ([1, 2], [3, 4, 5])
    assert halved([5, 1, 3, 2, 4], "VIPeR", 1) != halved([5, 1, 3, 2, 4], "VIPeR", 0)


@pytest.mark.parametrize("layout", FACTORIES)
def test_reading_writes_no_file(layout, plant):
    root = plant(layout).root
    before = sorted(root.rglob("*"))
    FACTORIES[layout](root, split_id=3)
    assert sorted(root.rglob("*")) == before


@pytest.mark.parametrize("layout", ["cuhk01", "viper"])
def test_two_splits_share_a_half_and_swap_the_cameras(layout, planted):
    one, other, next_half = (FACTORIES[layout](planted(layout).root, split_id=i) for i in (4, 5, 6))
    assert one.train == other.train != next_half.train
    assert (one.query, one.gallery) == (other.gallery, other.query)
    assert {s.camid for s in one.query} == {0}
    assert {s.pid for s in one.query} == {s.pid for s in one.gallery}
    assert not {s.pid for s in one.query} & {s.pid for s in one.train}


def test_ilids_tests_with_two_pictures_of_each_person(planted):
    splits = ilids(planted("ilids").root, split_id=9)
    assert sorted(s.pid for s in splits.query) == sorted(s.pid for s in splits.gallery)
    assert not {s.path for s in splits.query} & {s.path for s in splits.gallery}
    assert not {s.pid for s in splits.query} & {s.pid for s in splits.train}


def test_prid_learns_from_people_whom_both_cameras_saw(planted):
    splits = prid(planted("prid").root, split_id=9)
    learnt = {s.pid for s in splits.train}
    assert len(learnt) == 100
    assert learnt | {s.pid for s in splits.query} == set(range(1, 201))
    assert {s.pid for s in splits.gallery} - {s.pid for s in splits.query} == set(range(201, 750))


@pytest.mark.parametrize("layout", FACTORIES)
def test_torchreids_split_counts_where_it_is_there_wherever_it_was_drawn(layout, plant, recorded):
    root = plant(layout).root
    own = FACTORIES[layout](root)
    stored = json.dumps(recorded(layout)["split_file"]["splits"])
    path = root / SPLIT_FILES[layout]
    path.write_text(stored.replace("{ROOT}", r"C:\\data"))
    found = FACTORIES[layout](root)
    assert {s.path for s in found.query} != {s.path for s in own.query}
    expected = recorded(layout)["cases"][0]
    assert {s.path for s in found.query} == {str(root / row[0]) for row in expected["query"]}


@pytest.mark.parametrize("layout", FACTORIES)
def test_a_file_that_holds_no_splits_is_told(layout, plant):
    root = plant(layout).root
    for text in ("{}", "[1]", '[{"train": [1]}]', '[{"train": 5, "test": 5}]'):
        (root / SPLIT_FILES[layout]).write_text(text)
        with pytest.raises(DataError, match=r"splits.*\.json"):
            FACTORIES[layout](root)


def test_a_split_of_other_pictures_is_told(plant, recorded):
    tree = plant("viper", seed=1)
    text = json.dumps(recorded("viper")["split_file"]["splits"])
    (tree.root / SPLIT_FILES["viper"]).write_text(text)
    with pytest.raises(DataError, match=r"names \d+ that are not there"):
        viper(tree.root)
