"""What is particular about Market-1501."""

from pathlib import Path

import pytest

from reid_plugins_datasets.people.market1501 import market1501
from reidcore.data import SampleTable, init_image_dataset
from reidcore.errors import DataError

RELEASE = "market1501/Market-1501-v15.09.15"


@pytest.fixture
def tiny(tmp_path):
    """A root whose own path looks like an identity and a camera."""
    root = tmp_path / "12_c3"
    names = {
        "bounding_box_train": ["0007_c2s1_000451_03.jpg", "0002_c1s1_000451_03.jpg"],
        "query": ["0001_c1s1_001051_00.jpg"],
        "bounding_box_test": ["-1_c1s1_000401_03.jpg", "0000_c1s1_000151_01.jpg",
                              "0001_c6s4_030240_02.jpg"],
        "images": ["0000_c5s1_000009_07.jpg", "-1_c5s1_000010_08.jpg"],
    }  # fmt: skip
    for folder, files in names.items():
        (root / RELEASE / folder).mkdir(parents=True)
        for file in files:
            (root / RELEASE / folder / file).touch()
    return root


def test_names_are_read_not_the_folders_above(tiny):
    dataset = market1501(tiny)
    assert [(s.pid, s.camid) for s in dataset.query] == [(1, 0)]
    assert [Path(s.path).name for s in dataset.train] == [
        "0002_c1s1_000451_03.jpg", "0007_c2s1_000451_03.jpg",
    ]  # fmt: skip


def test_distractors_are_searched_and_junk_is_nowhere(tiny):
    assert [s.pid for s in market1501(tiny).gallery] == [0, 1]
    assert [s.pid for s in market1501(tiny, use_500k_distractors=True).gallery] == [0, 1, 0]


def test_distractors_are_not_learnt_from(tiny):
    combined = init_image_dataset("market1501", root=tiny, combineall=True)
    assert SampleTable.of(combined.train).counts.ids == 3


def test_the_picture_folders_may_lie_in_the_root_itself(tiny):
    assert len(market1501(tiny / RELEASE).train) == 2


def test_the_deprecated_layout_is_read_with_a_warning(tiny, caplog):
    (tiny / RELEASE).rename(tiny / "flat")
    (tiny / "market1501").rmdir()
    (tiny / "flat").rename(tiny / "market1501")
    with caplog.at_level("WARNING", logger="reidcore"), caplog.at_level("WARNING"):
        dataset = market1501(tiny)
    assert len(dataset.query) == 1
    assert "deprecated" in caplog.text


def test_a_missing_folder_is_told_with_the_expected_layout(tmp_path):
    with pytest.raises(DataError, match=r"(?s)bounding_box_train.*query/.*bounding_box_test/"):
        market1501(tmp_path)


def test_missing_distractors_are_told_by_name(tiny):
    (tiny / RELEASE / "images").rename(tiny / "elsewhere")
    with pytest.raises(DataError, match="images"):
        market1501(tiny, use_500k_distractors=True)


@pytest.mark.parametrize("name", ["holiday.jpg", "0002_c1s1_000451_03 (1).jpg", "2_c1.jpg"])
def test_an_image_of_another_name_is_refused_by_name(tiny, name):
    (tiny / RELEASE / "query" / name).touch()
    with pytest.raises(DataError) as caught:
        market1501(tiny)
    assert name in str(caught.value)
    assert "1 of 2 files" in str(caught.value)
    assert "0002_c1s1_000451_03.jpg" in str(caught.value)


@pytest.mark.parametrize("name", ["0002_c0s1_000451_03.jpg", "1502_c1s1_000451_03.jpg"])
def test_labels_out_of_range_are_refused(tiny, name):
    (tiny / RELEASE / "query" / name).touch()
    with pytest.raises(DataError, match=rf"outside -?1\.\.\d+.*{name}"):
        market1501(tiny)


def test_multi_query_takes_all_boxes_of_a_querys_person_by_its_camera(tiny):
    boxes = tiny / RELEASE / "gt_bbox"
    boxes.mkdir()
    for file in ("0001_c1s1_001051_00.jpg", "0001_c1s2_000009_00.jpg", "0001_c2s1_000009_00.jpg",
                 "0002_c1s1_000451_00.jpg"):  # fmt: skip
        (boxes / file).touch()
    query = market1501(tiny, multi_query=True).query
    assert [Path(sample.path).name for sample in query] == [
        "0001_c1s1_001051_00.jpg",
        "0001_c1s2_000009_00.jpg",
    ]
    assert {(sample.pid, sample.camid) for sample in query} == {(1, 0)}


def test_multi_query_needs_boxes(tiny):
    with pytest.raises(DataError, match="gt_bbox"):
        market1501(tiny, multi_query=True)
    (tiny / RELEASE / "gt_bbox").mkdir()
    with pytest.raises(DataError, match="no box of 1 of 1 query, the first"):
        market1501(tiny, multi_query=True)
