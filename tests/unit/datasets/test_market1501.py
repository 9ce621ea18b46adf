"""Market-1501, held against what the reference reader gives for miniature trees."""

import json
from pathlib import Path

import pytest

from reid_plugins_datasets.market1501 import market1501
from reidcore.data import SampleTable, init_image_dataset
from reidcore.errors import DataError

RECORDS = Path(__file__).parents[2] / "data" / "datasets"
RELEASE = "market1501/Market-1501-v15.09.15"


def plant(root, cases):
    """Make the (empty) files that a record lists, and what lies beside them in the release."""
    for case in cases:
        for path, _, _ in (row for split in ("train", "query", "gallery") for row in case[split]):
            file = root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
            (file.parent / "Thumbs.db").touch()
            (file.parent / "-1_c3s1_000001_01.jpg").touch()


def rows(samples, root):
    return [(Path(s.path).relative_to(root).as_posix(), s.pid, s.camid) for s in samples]


def same_people(found, wanted):
    """Say whether two lists group the same images under the same cameras, whatever the labels."""
    names = {}
    for (path, pid, camid), (other_path, other_pid, other_camid) in zip(found, wanted, strict=True):
        if (path, camid) != (other_path, other_camid) or names.setdefault(
            pid, other_pid
        ) != other_pid:
            return False
    return len(set(names.values())) == len(names)


@pytest.mark.parametrize("record", ["market1501", "market1501_flat"])
def test_every_recorded_case_is_read_alike(record, tmp_path):
    recorded = json.loads((RECORDS / f"{record}.json").read_text())
    plant(tmp_path, [case for case in recorded["cases"] if "error" not in case])
    for case in recorded["cases"]:
        if "error" in case:
            with pytest.raises(DataError, match="images"):
                init_image_dataset(
                    "market1501", root=tmp_path / recorded["root"], **case["options"]
                )
            continue
        found = init_image_dataset(
            "market1501", root=tmp_path / recorded["root"], **case["options"]
        )
        for split in ("query", "gallery"):
            expected = sorted(tuple(row) for row in case[split])
            assert sorted(rows(getattr(found, split), tmp_path)) == expected
        assert same_people(
            sorted(rows(found.train, tmp_path)), sorted(tuple(row) for row in case["train"])
        )


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
    with pytest.raises(DataError, match=r"bounding_box_train/, query/ and bounding_box_test/"):
        market1501(tmp_path)


def test_missing_distractors_are_told_by_name(tiny):
    (tiny / RELEASE / "images").rename(tiny / "elsewhere")
    with pytest.raises(DataError, match="images"):
        market1501(tiny, use_500k_distractors=True)


@pytest.mark.parametrize(
    "name", ["holiday.jpg", "0002_c1s1_000451_03 (1).jpg", "0002_c0s1_000451_03.jpg", "2_c1.jpg"]
)
def test_an_image_of_another_name_is_refused_by_name(tiny, name):
    (tiny / RELEASE / "query" / name).touch()
    with pytest.raises(DataError) as caught:
        market1501(tiny)
    assert name in str(caught.value)
    assert "0002_c1s1_000451_03.jpg" in str(caught.value)
