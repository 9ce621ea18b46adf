"""The dataset."""

from __future__ import annotations

from pathlib import Path

import pytest

from reidcore.data import ImageDataset, init_image_dataset
from reidcore.errors import DataError
from reidcore.testing import make_plugins, tiny_run


def load(root: Path, **options: object) -> ImageDataset:
    with make_plugins("reid-acme"):
        return init_image_dataset("acme", root=root, **options)


def test_people_and_cameras_are_numbered(root: Path) -> None:
    dataset = load(root)
    assert (dataset.num_train_pids, dataset.num_train_cams) == (4, 2)
    assert {sample.camid for sample in dataset.query} == {0, 1}
    assert {sample.pid for sample in dataset.query} == {sample.pid for sample in dataset.gallery}


def test_a_camera_can_be_left_out(root: Path) -> None:
    dataset = load(root, without=["gate"])
    assert {sample.camid for sample in dataset.train} == {0}
    with pytest.raises(DataError, match="Did you mean 'gate'"):
        load(root, without=["gat"])


def test_a_broken_table_is_told_by_its_line(root: Path) -> None:
    table = root / "acme" / "labels.csv"
    table.write_text("split,file,person,camera\ntrain,a.jpg,worker 1,dock\ntest,b.jpg,,dock\n")
    with pytest.raises(DataError, match=r"labels\.csv:3 lacks person"):
        load(root)
    table.unlink()
    with pytest.raises(DataError, match="split, file, person, camera"):
        load(root)


def test_a_run_takes_its_option_from_the_configuration(root: Path, tmp_path: Path) -> None:
    run = tiny_run("reid-acme", save_dir=tmp_path / "log", root=root, dataset="acme")
    assert 0 < run.result["targets"]["acme"]["mAP"] <= 1
    assert run.engine.datamanager.num_train_cams == 2
