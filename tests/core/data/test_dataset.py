from __future__ import annotations

import logging
import os.path as osp
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from reidcore.data.dataset import ImageDataset, merged, view_of
from reidcore.data.table import SampleTable
from reidcore.errors import DataError

TRAIN = [("/d/1.jpg", 30, 5), ("/d/2.jpg", 10, 5), ("/d/3.jpg", 30, 6)]
QUERY = [("/d/q.jpg", 4, 0)]
GALLERY = [("/d/g.jpg", 4, 1), ("/d/j.jpg", 0, 2)]


class Written(ImageDataset):
    """As one would have written it for Torchreid."""

    dataset_dir = "written"
    _junk_pids = [0]  # noqa: RUF012

    def __init__(self, root: str = "", **kwargs: Any) -> None:
        self.root = osp.abspath(osp.expanduser(root))
        self.dataset_dir = osp.join(self.root, self.dataset_dir)
        super().__init__(TRAIN, QUERY, GALLERY, **kwargs)


def test_a_class_written_for_torchreid_has_its_surface() -> None:
    dataset = Written(root=".", mode="query", split_id=3, cuhk03_labeled=True)
    assert len(dataset) == 1
    assert [(path, pid, camid) for path, pid, camid, _ in dataset.data] == QUERY
    assert (dataset.num_train_pids, dataset.num_train_cams) == (2, 2)
    assert (dataset.get_num_pids(GALLERY), dataset.get_num_cams(GALLERY)) == (2, 2)
    assert dataset.parse_data(TRAIN) == (2, 2)
    assert dataset.num_datasets == 1


def test_training_identities_are_relabelled_and_negative_ones_left_out() -> None:
    dataset = ImageDataset([*TRAIN, ("/d/x.jpg", -1, 5)], QUERY, GALLERY)
    assert [sample[1] for sample in dataset.train] == [1, 0, 1]
    assert [sample[1] for sample in dataset.gallery] == [4, 0]


def test_combineall_makes_test_identities_new_classes_without_junk_or_duplicates() -> None:
    class Overlapping(Written):
        def __init__(self) -> None:
            query = [*QUERY, ("/d/only-here.jpg", 9, 8)]
            gallery = [*GALLERY, QUERY[0], ("/d/2.jpg", 4, 1)]
            ImageDataset.__init__(self, TRAIN, query, gallery, combineall=True)

    dataset = Overlapping()
    assert [tuple(sample[:3]) for sample in dataset.train] == [
        ("/d/1.jpg", 1, 5),
        ("/d/2.jpg", 0, 5),
        ("/d/3.jpg", 1, 6),
        ("/d/q.jpg", 2, 0),
        ("/d/only-here.jpg", 3, 8),
        ("/d/g.jpg", 2, 1),
    ]
    assert (dataset.num_train_pids, dataset.num_train_cams) == (4, 5)
    assert len(dataset.query) == 2


def test_combineall_leaves_train_only_sets_alone() -> None:
    class TrainOnly(Written):
        _train_only = True

    assert len(TrainOnly(combineall=True).train) == 3


def test_a_view_honours_an_overridden_item_and_leaves_the_dataset_as_it_is() -> None:
    class Own(Written):
        def __getitem__(self, index: int) -> dict[str, Any]:
            return {"which": (self.mode, self.data[index][0], self.transform("x"), self.k_tfm)}

    dataset = Own(verbose=False)
    view = view_of(dataset, "gallery", transform=str.upper, k_tfm=2)
    assert type(view) is Own
    assert view[1] == {"which": ("gallery", "/d/j.jpg", "X", 2)}
    assert (dataset.mode, dataset.transform, len(dataset)) == ("train", None, 3)


def test_a_view_takes_splits_that_a_subclass_changed_after_construction() -> None:
    dataset = Written(verbose=False)
    dataset.train = [*TRAIN, ("/d/4.jpg", 20, 9)]
    view = view_of(dataset, "train")
    assert [sample[1] for sample in view.data] == [2, 0, 2, 1]
    assert (view.num_train_pids, view.num_train_cams) == (3, 3)


def test_items_of_an_image_dataset(tmp_path: Path) -> None:
    path = str(tmp_path / "x.png")
    Image.fromarray(np.full((4, 3, 3), 7, dtype=np.uint8)).save(path)
    dataset = ImageDataset([(path, 5, 2)], [], [], transform=np.asarray, k_tfm=2)
    item = dataset[0]
    assert [image.tolist() for image in item.pop("img")] == [[[[7] * 3] * 3] * 4] * 2
    assert item == {"pid": 0, "camid": 2, "impath": path, "dsetid": 0}
    assert ImageDataset([(path, 5, 2)], [], [])[0]["img"].size == (3, 4)


def test_a_tracklet_is_no_image() -> None:
    with pytest.raises(DataError, match="tracklet of 2 frames"):
        ImageDataset([(("a.jpg", "b.jpg"), 1, 1)], [], [])[0]


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(DataError, match="'val'"):
        Written(mode="val")


def test_required_files_are_named(tmp_path: Path) -> None:
    dataset = Written(verbose=False)
    dataset.check_before_run(str(tmp_path))
    missing = str(tmp_path / "bounding_box_train")
    with pytest.raises(DataError, match="bounding_box_train"):
        dataset.check_before_run([str(tmp_path), missing])


def test_the_summary_is_torchreids(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "reidcore"):
        Written()
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0] == "=> Loaded Written"
    assert lines[2] == "  subset   | # ids | # images | # cameras"
    assert lines[4] == "  train    |     2 |        3 |         2"
    assert lines[6] == "  gallery  |     2 |        2 |         2"


def test_datasets_add_up() -> None:
    total = sum([Written(verbose=False), Written(verbose=False), Written(verbose=False)])
    assert len(total) == 9
    assert (total.num_train_pids, total.num_train_cams, total.num_datasets) == (6, 6, 3)
    assert SampleTable.of(total.train).dsetids.tolist() == [0] * 3 + [1] * 3 + [2] * 3


def test_each_part_is_read_by_its_own_dataset() -> None:
    class Loud(ImageDataset):
        def __getitem__(self, index: int) -> dict[str, Any]:
            return {"img": f"loud {self.data[index].path}", "pid": self.data[index].pid}

    class Quiet(Loud):
        def __getitem__(self, index: int) -> dict[str, Any]:
            return {**super().__getitem__(index), "img": f"quiet {self.data[index].path}"}

    loud = Loud([("a.jpg", 8, 0), ("b.jpg", 9, 0)], [], [], verbose=False)
    quiet = Quiet([("c.jpg", 8, 0)], [("q.jpg", 1, 1)], [], verbose=False)
    both = merged([loud, quiet, loud])
    assert [both[index]["img"] for index in range(len(both))] == [
        "loud a.jpg",
        "loud b.jpg",
        "quiet c.jpg",
        "loud a.jpg",
        "loud b.jpg",
    ]
    assert [both[index]["pid"] for index in range(len(both))] == [0, 1, 2, 3, 4]
    assert [sample.pid for sample in loud.train] == [0, 1]


def test_merging_keeps_the_number_of_views_of_an_image() -> None:
    part = ImageDataset([("a.jpg", 8, 0)], [], [], verbose=False, k_tfm=3)
    assert [view.k_tfm for view in merged([part, part]).parts] == [3, 3]
